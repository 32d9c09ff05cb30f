! HRLDAS' and Noah-MP's names, kinds and shapes, as far as the page's lines need them; all values are made up.
! A rank has a block of columns; the setup file has the whole grid.
! host-test: flags = -cpp -O2 -fconvert=big-endian
! host-test: flags = -cpp -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow -fconvert=big-endian
! host-test: mpi_flags = -DMPP_LAND
! host-test: ranks = 2
module Machine
  implicit none
  integer, parameter :: kind_noahmp = 4
end module Machine

module NoahmpIOVarType
  use Machine, only: kind_noahmp
  implicit none
  type NoahmpIO_type
    character(256) :: HRLDAS_SETUP_FILE = "setup.nc", restart_flnm = "", outdir = "."
    character(19) :: OLDDATE = ""
    logical :: restart_flag = .false.
    integer :: XSTART, XEND, YSTART, YEND, IGRID = 1
    integer, allocatable :: IVGTYP(:, :)
    real(kind_noahmp), allocatable, dimension(:, :) :: XLAND, GVFMAX, GVFMIN
  end type NoahmpIO_type
end module NoahmpIOVarType

!> The setup file, 48 columns by 24 rows, as netCDF-Fortran would read it.
module netcdf
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: nf90_noerr = 0, nf90_nowrite = 0, columns = 48, rows = 24
contains
  integer function nf90_open(path, mode, ncid)
    character(*), intent(in) :: path
    integer, intent(in) :: mode
    integer, intent(out) :: ncid

    ncid = 7
    nf90_open = merge(nf90_noerr, 2, path == "setup.nc" .and. mode == nf90_nowrite)
  end function nf90_open

  integer function nf90_inq_dimid(ncid, name, dimid)
    integer, intent(in) :: ncid
    character(*), intent(in) :: name
    integer, intent(out) :: dimid

    dimid = merge(1, 2, name == "west_east")
    nf90_inq_dimid = merge(nf90_noerr, -33, ncid == 7)
  end function nf90_inq_dimid

  integer function nf90_inquire_dimension(ncid, dimid, name, len)
    integer, intent(in) :: ncid, dimid
    character(*), intent(out), optional :: name
    integer, intent(out), optional :: len

    if (present(name)) name = ""
    if (present(len)) len = merge(columns, rows, dimid == 1)
    nf90_inquire_dimension = merge(nf90_noerr, -33, ncid == 7)
  end function nf90_inquire_dimension

  integer function nf90_inq_varid(ncid, name, varid)
    integer, intent(in) :: ncid
    character(*), intent(in) :: name
    integer, intent(out) :: varid

    varid = merge(1, 2, name == "XLONG")
    nf90_inq_varid = merge(nf90_noerr, -33, ncid == 7)
  end function nf90_inq_varid

  integer function nf90_get_var(ncid, varid, values)
    integer, intent(in) :: ncid, varid
    real(real64), intent(out) :: values(:, :)
    integer :: i, j

    do j = 1, size(values, 2)
      do i = 1, size(values, 1)
        values(i, j) = merge(-176.25_real64 + 7.5_real64*(i - 1), -86.25_real64 + 7.5_real64*(j - 1), varid == 1)
      end do
    end do
    nf90_get_var = merge(nf90_noerr, -33, ncid == 7)
  end function nf90_get_var

  integer function nf90_close(ncid)
    integer, intent(in) :: ncid

    nf90_close = merge(nf90_noerr, -33, ncid == 7)
  end function nf90_close
end module netcdf
