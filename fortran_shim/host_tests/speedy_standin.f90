! SPEEDY's names, kinds and shapes, as far as the page's lines need them; all values are made up.
! host-test: flags = -Ofast
! host-test: flags = -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow
module types
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: p = real64
end module types

module params
  implicit none
  integer, parameter :: ix = 96, iy = 24, il = 2*iy
end module params

module date
  implicit none
  type datetime
    integer :: year, month, day, hour, minute
  end type datetime
  type(datetime) :: model_datetime
end module date

module geometry
  use params, only: il, iy
  use types, only: p
  implicit none
  real(p) :: radang(il) !! from south to north, radians
contains
  subroutine initialize_geometry()
    integer :: j

    do j = 1, iy
      radang(j) = -asin(cos(3.141592654_p*(j - 0.25_p)/(il + 0.5_p)))
      radang(il + 1 - j) = -radang(j)
    end do
  end subroutine initialize_geometry
end module geometry

module input_output
  use geometry, only: radang
  use host_kit, only: made_up
  use params, only: il, ix
  use types, only: p
  implicit none
contains
  !> A field of a boundary file, (96, 48), from south to north.
  function load_boundary_file(file_name, field_name, month) result(field)
    character(*), intent(in) :: file_name, field_name
    integer, intent(in), optional :: month
    real(p) :: field(ix, il)
    integer :: i, j, which

    which = len(file_name) + ichar(field_name(4:4))
    if (present(month)) which = which + 100*month
    do j = 1, il
      do i = 1, ix
        field(i, j) = made_up(360.0_p/ix*(i - 1), radang(j)*57, which)
      end do
    end do
    if (field_name == "vegh" .or. field_name == "vegl") field = 0.5_p*field
    if (field_name == "alb") field = 0.1_p + 0.2_p*field
  end function load_boundary_file
end module input_output

module boundaries
  use geometry, only: radang
  use host_kit, only: made_up
  use input_output, only: load_boundary_file
  use params, only: il, ix
  use types, only: p
  implicit none
  real(p), dimension(ix, il) :: fmask, alb0
contains
  subroutine initialize_boundaries()
    fmask = load_boundary_file("surface.nc", "lsm ")
    alb0 = load_boundary_file("surface.nc", "alb ")
  end subroutine initialize_boundaries

  !> Set what is not land to a constant.
  subroutine forchk(fmask, nf, fmin, fmax, fset, field)
    integer, intent(in) :: nf
    real(p), intent(in) :: fmask(ix, il), fmin, fmax, fset
    real(p), intent(inout) :: field(ix, il, nf)
    integer :: month

    if (fmin > fmax) error stop "forchk"
    do month = 1, nf
      where (fmask <= 0) field(:, :, month) = fset
    end do
  end subroutine forchk
end module boundaries

module auxiliaries
  use params, only: il, ix
  use types, only: p
  implicit none
  real(p), dimension(ix, il) :: precnv, precls !! rain, g m-2 s-1
end module auxiliaries

module land_model
  use boundaries, only: fmask, forchk
  use input_output, only: load_boundary_file
  use params, only: il, ix
  use types, only: p
  implicit none
  real(p) :: bmask_l(ix, il), soilw12(ix, il, 12)
contains
  subroutine land_model_init()
    real(p), dimension(ix, il) :: veg, swl1, swl2
    integer :: month

    bmask_l = merge(1.0_p, 0.0_p, fmask >= 0.1_p)
    veg = max(0.0_p, load_boundary_file("surface.nc", "vegh") + 0.8*load_boundary_file("surface.nc", "vegl"))
    do month = 1, 12
      swl1 = load_boundary_file("soil.nc", "swl1", month)
      swl2 = load_boundary_file("soil.nc", "swl2", month)
      soilw12(:, :, month) = min(1.0_p, (swl1 + veg*max(0.0_p, 3*swl2 - 0.51))/0.69)
    end do
    call forchk(bmask_l, 12, 0.0_p, 10.0_p, 0.0_p, soilw12)
  end subroutine land_model_init
end module land_model

module forcing
  use boundaries, only: alb0
  use params, only: il, ix
  use types, only: p
  implicit none
  real(p) :: alb_l(ix, il)
contains
  subroutine set_forcing(imode)
    integer, intent(in) :: imode

    if (imode >= 0) alb_l = alb0
  end subroutine set_forcing
end module forcing
