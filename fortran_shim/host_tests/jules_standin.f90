! JULES' names, kinds and shapes, as far as the page's lines need them; all values are made up.
! A task's points are a block of the grid, (t_i_length, t_j_length), its land points a list.
! host-test: flags = -O2
! host-test: flags = -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow -finit-real=snan
! host-test: ranks = 2
module um_types
  use, intrinsic :: iso_fortran_env, only: real32
  implicit none
  integer, parameter :: real_jlslsm = real32
end module um_types

module logging_mod
  implicit none
contains
  subroutine log_fatal(proc_name, message)
    character(*), intent(in) :: proc_name, message

    print "(4a)", "[FATAL ERROR] ", proc_name, ": ", message
    error stop
  end subroutine log_fatal
end module logging_mod

module jules_surface_mod
  implicit none
  integer :: all_tiles = 1
end module jules_surface_mod

module jules_surface_types_mod
  implicit none
  integer :: npft = 5, ntype = 9
  integer :: brd_leaf = 1, ndl_leaf = 2, c3_grass = 3, c4_grass = 4, shrub = 5, urban = 6, lake = 7, soil = 8, ice = 9
end module jules_surface_types_mod

module theta_field_sizes
  implicit none
  integer :: t_i_length, t_j_length
end module theta_field_sizes

module model_grid_mod
  implicit none
  real, allocatable :: latitude(:, :), longitude(:, :)
end module model_grid_mod

module datetime_mod
  implicit none
  type datetime
    integer :: year, month, day, time
  end type datetime
end module datetime_mod

module model_time_mod
  use datetime_mod, only: datetime
  implicit none
  type(datetime) :: current_time
  logical :: is_spinup = .false.
end module model_time_mod

module jules_vars_mod
  implicit none
  integer :: mpi_local_comm
end module jules_vars_mod

module ancil_info
  use um_types, only: real_jlslsm
  implicit none
  integer :: land_pts, nsurft = 9
  type ainfo_type
    logical, pointer :: l_lice_surft(:), l_lice_point(:)
    integer, pointer :: land_index(:), surft_pts(:), surft_index(:, :)
    real(real_jlslsm), pointer :: frac_surft(:, :)
  end type ainfo_type
end module ancil_info

module jules_fields_mod
  use ancil_info, only: ainfo_type
  use um_types, only: real_jlslsm
  implicit none
  type progs_type
    real(real_jlslsm), pointer :: canht_pft(:, :), lai_pft(:, :)
  end type progs_type
  type psparms_type
    real(real_jlslsm), pointer :: z0m_soil_gb(:), catch_snow_surft(:, :), catch_surft(:, :), z0_surft(:, :), &
      z0h_bare_surft(:, :), infil_surft(:, :), satcon_soilt(:, :, :)
  end type psparms_type
  type urban_param_type
    real(real_jlslsm), pointer :: ztm_gb(:)
  end type urban_param_type
  type(ainfo_type) :: ainfo
  type(progs_type) :: progs
  type(psparms_type) :: psparms
  type(urban_param_type) :: urban_param
end module jules_fields_mod

module tilepts_mod
  use jules_surface_types_mod, only: ice, ntype
  use um_types, only: real_jlslsm
  implicit none
contains
  !> With all_tiles on: every type but ice where there is no ice, ice alone where there is.
  subroutine tilepts(land_pts, frac, surft_pts, surft_index, l_lice_point, l_lice_surft)
    integer, intent(in) :: land_pts
    real(real_jlslsm), intent(in) :: frac(land_pts, ntype)
    integer, intent(out) :: surft_pts(ntype), surft_index(land_pts, ntype)
    logical, intent(in) :: l_lice_point(land_pts)
    logical, intent(out) :: l_lice_surft(ntype)
    integer :: n, l

    surft_index = 0
    surft_pts = 0
    if (size(frac) < 0) return
    do n = 1, ntype
      l_lice_surft(n) = n == ice
      do l = 1, land_pts
        if (l_lice_point(l) .neqv. n == ice) cycle
        surft_pts(n) = surft_pts(n) + 1
        surft_index(surft_pts(n), n) = l
      end do
    end do
  end subroutine tilepts
end module tilepts_mod

module sparm_mod
  use jules_surface_types_mod, only: npft, ntype
  use um_types, only: real_jlslsm
  implicit none
contains
  !> Something that hangs on what JULES' own hangs on.
  subroutine sparm(land_pts, nsurft, surft_pts, surft_index, frac, canht, lai, z0m_soil, catch_snow, catch, z0, z0h, ztm)
    integer, intent(in) :: land_pts, nsurft, surft_pts(ntype), surft_index(land_pts, ntype)
    real(real_jlslsm), intent(in) :: frac(land_pts, ntype), canht(land_pts, npft), lai(land_pts, npft), z0m_soil(land_pts)
    real(real_jlslsm), intent(out) :: catch_snow(land_pts, nsurft), catch(land_pts, nsurft), z0(land_pts, nsurft), &
      z0h(land_pts, nsurft)
    real(real_jlslsm), intent(inout) :: ztm(land_pts)
    integer :: n, k

    catch_snow = 0
    catch = 0
    z0 = spread(z0m_soil, 2, nsurft)
    z0h = 0.1*z0
    ztm = frac(:, 6)
    do n = 1, npft
      do k = 1, surft_pts(n)
        catch(surft_index(k, n), n) = 0.5 + 0.05*lai(surft_index(k, n), n)
        z0(surft_index(k, n), n) = 0.1*canht(surft_index(k, n), n)
      end do
    end do
  end subroutine sparm
end module sparm_mod

module infiltration_rate_mod
  use jules_surface_types_mod, only: ntype
  use um_types, only: real_jlslsm
  implicit none
contains
  subroutine infiltration_rate(land_pts, nsurft, surft_pts, surft_index, satcon, frac, infil)
    integer, intent(in) :: land_pts, nsurft, surft_pts(ntype), surft_index(land_pts, ntype)
    real(real_jlslsm), intent(in) :: satcon(land_pts, 1, 1), frac(land_pts, ntype)
    real(real_jlslsm), intent(out) :: infil(land_pts, nsurft)
    integer :: n, k

    infil = 0
    do n = 1, nsurft
      do k = 1, surft_pts(n)
        infil(surft_index(k, n), n) = satcon(surft_index(k, n), 1, 1)*(1 + frac(surft_index(k, n), n))
      end do
    end do
  end subroutine infiltration_rate
end module infiltration_rate_mod
