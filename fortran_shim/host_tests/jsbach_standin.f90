! JSBACH 3's names, kinds and shapes, as far as the page's lines need them; all values are made up.
! A rank's land points are a packed list; longitudes and latitudes of the whole grid are known to all.
! host-test: flags = -O2
! host-test: flags = -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow -finit-real=snan
! host-test: ranks = 2
module mo_kind
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: dp = real64
end module mo_kind

module mo_mpi
  implicit none
  integer :: p_all_comm
end module mo_mpi

module mo_time_control
  implicit none
  logical :: lresume
end module mo_time_control

module mo_exception
  implicit none
contains
  subroutine finish(name, text)
    character(*), intent(in) :: name, text

    print "(3a)", name, ": ", text
    error stop
  end subroutine finish
end module mo_exception

module mo_jsbach_grid
  use mo_kind, only: dp
  implicit none
  type domain_type
    integer :: nland
    real(dp), pointer :: lon(:), lat(:)
  end type domain_type
  type grid_type
    integer :: nlon, nlat
    real(dp), pointer :: lon(:), lat(:)
  end type grid_type
end module mo_jsbach_grid

module mo_land_surface
  use mo_kind, only: dp
  implicit none
  real(dp), parameter :: fract_small = 1.0e-10_dp
  type land_surface_type
    integer :: ntiles
    real(dp), pointer :: cover_fract(:, :), veg_ratio_max(:)
    logical, pointer :: is_glacier(:, :), is_lake(:, :)
  end type land_surface_type
end module mo_land_surface

module mo_cbal_landcover_change
  use mo_kind, only: dp
  implicit none
  type landcover_change_type
    real(dp), pointer :: LCC_coverFract_target(:, :)
  end type landcover_change_type
  type(landcover_change_type) :: landcover_change
contains
  !> Once a day: a step towards the target, which is reached when the year ends.
  subroutine do_landcover_change(day_of_year, days_of_year, cover_fract)
    integer, intent(in) :: day_of_year, days_of_year
    real(dp), intent(inout) :: cover_fract(:, :)

    cover_fract = cover_fract + (landcover_change%LCC_coverFract_target - cover_fract)/(1 + days_of_year - day_of_year)
  end subroutine do_landcover_change
end module mo_cbal_landcover_change
