! Names, kinds and shapes of HRLDAS and Noah-MP, as far as the page's lines need them; all values are made up.
! The grid is bent, so that its cells have four corners; ranks hold bands of rows, numbered over the whole grid.
! host-test: flags = -g -fconvert=big-endian -fbounds-check
! host-test: flags = -O2 -ffpe-trap=invalid,zero,overflow -finit-real=snan
! host-test: ranks = 2
module Machine
  use, intrinsic :: iso_fortran_env, only: real32
  implicit none
  integer, parameter :: kind_noahmp = real32
end module Machine

module NoahmpIOVarType
  use Machine, only: kind_noahmp
  implicit none
  type :: NoahmpIO_type
    integer :: XSTART, XEND, YSTART, YEND, IGRID = 1
    integer, allocatable, dimension(:, :) :: IVGTYP, number
    real(kind_noahmp), allocatable, dimension(:, :) :: XLAND, VEGFRA, GVFMAX, GVFMIN
    logical :: restart_flag = .false., update_veg = .true.
    character(19) :: OLDDATE
    character(256) :: HRLDAS_SETUP_FILE = "setup.nc", outdir = ".", restart_flnm = " "
  end type NoahmpIO_type
end module NoahmpIOVarType

!> A setup file that has XLONG and XLAT alone.
module netcdf
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: nf90_noerr = 0, nf90_nowrite = 0, nx = 30, ny = 20
contains
  integer function nf90_open(path, mode, ncid)
    character(*), intent(in) :: path
    integer, intent(in) :: mode
    integer, intent(out) :: ncid

    ncid = len_trim(path) + mode
    nf90_open = nf90_noerr
  end function nf90_open

  integer function nf90_inq_dimid(ncid, name, dimid)
    integer, intent(in) :: ncid
    character(*), intent(in) :: name
    integer, intent(out) :: dimid

    dimid = merge(nx, ny, name == "west_east") + 0*ncid
    nf90_inq_dimid = nf90_noerr
  end function nf90_inq_dimid

  integer function nf90_inquire_dimension(ncid, dimid, len)
    integer, intent(in) :: ncid, dimid
    integer, intent(out) :: len

    len = dimid + 0*ncid
    nf90_inquire_dimension = nf90_noerr
  end function nf90_inquire_dimension

  integer function nf90_inq_varid(ncid, name, varid)
    integer, intent(in) :: ncid
    character(*), intent(in) :: name
    integer, intent(out) :: varid

    varid = merge(1, 2, name == "XLONG") + 0*ncid
    nf90_inq_varid = nf90_noerr
  end function nf90_inq_varid

  integer function nf90_get_var(ncid, varid, values)
    integer, intent(in) :: ncid, varid
    real(real64), intent(out) :: values(:, :)
    integer :: i, j

    do j = 1, size(values, 2)
      do i = 1, size(values, 1)
        values(i, j) = merge(6*i - 100 + 0.5_real64*j, 6.5_real64*j - 68 + 0.1_real64*i, varid == 1)
      end do
    end do
    nf90_get_var = 0*ncid
  end function nf90_get_var

  integer function nf90_close(ncid)
    integer, intent(in) :: ncid

    nf90_close = 0*ncid
  end function nf90_close
end module netcdf

module module_NoahMP_hrldas_driver
  use, intrinsic :: iso_fortran_env, only: real64
  use host_kit, only: made_up
  use netcdf, only: nf90_get_var, nx, ny
  use NoahmpIOVarType, only: NoahmpIO_type
  implicit none
  type(NoahmpIO_type) :: NoahmpIO
  real(real64) :: lon(nx, ny), lat(nx, ny)
contains
  subroutine land_driver_ini(my_id, numprocs)
    integer, intent(in) :: my_id, numprocs
    integer :: i, j, ignored

    ignored = nf90_get_var(0, 1, lon) + nf90_get_var(0, 2, lat)
    NoahmpIO%XSTART = 1
    NoahmpIO%XEND = nx
    NoahmpIO%YSTART = 1 + my_id*ny/numprocs
    NoahmpIO%YEND = (my_id + 1)*ny/numprocs
    associate (io => NoahmpIO)
      allocate (io%IVGTYP(nx, io%YSTART:io%YEND), io%number(nx, io%YSTART:io%YEND), io%XLAND(nx, io%YSTART:io%YEND))
      allocate (io%VEGFRA, io%GVFMAX, io%GVFMIN, mold=io%XLAND)
      do j = io%YSTART, io%YEND
        do i = 1, nx
          io%number(i, j) = (j - 1)*nx + i - 1
          io%XLAND(i, j) = merge(1, 2, made_up(lon(i, j), lat(i, j), 1) < 0.9)
          io%IVGTYP(i, j) = merge(1 + int(12*made_up(lon(i, j), lat(i, j), 2)), 17, io%XLAND(i, j) < 1.5)
          io%GVFMAX(i, j) = real(40 + 50*made_up(lon(i, j), lat(i, j), 3))
          io%GVFMIN(i, j) = real(30*made_up(lon(i, j), lat(i, j), 4))
        end do
      end do
    end associate
  end subroutine land_driver_ini

  !> What READFORC_HRLDAS leaves in VEGFRA under dveg 1, 6 and 7: the value of the day.
  subroutine land_driver_forcing(month, day)
    integer, intent(in) :: month, day
    integer :: i, j

    do j = NoahmpIO%YSTART, NoahmpIO%YEND
      do i = 1, nx
        NoahmpIO%VEGFRA(i, j) = real(30 + 10*made_up(lon(i, j), lat(i, j), 5) + abs(month - 6) + day/31.0_real64)
      end do
    end do
  end subroutine land_driver_forcing
end module module_NoahMP_hrldas_driver
