! page: begin
!> Surface types of the year from landstep.
module jules_landstep_mod
  use ancil_info, only: land_pts, nsurft
  use infiltration_rate_mod, only: infiltration_rate
  use jules_fields_mod, only: ainfo, progs, psparms, urban_param
  use jules_surface_mod, only: all_tiles
  use jules_surface_types_mod, only: brd_leaf, c3_grass, c4_grass, ice, lake, ndl_leaf, shrub, soil, urban
  use jules_vars_mod, only: mpi_local_comm
  use landstep, only: land_t
  use logging_mod, only: log_fatal
  use model_grid_mod, only: latitude, longitude
  use model_time_mod, only: current_time, is_spinup
  use sparm_mod, only: sparm
  use theta_field_sizes, only: t_i_length
  use tilepts_mod, only: tilepts
  use um_types, only: real_jlslsm
  implicit none
  private
  public :: landstep_update, landstep_write_restart, landstep_end

  real, parameter :: dlon = 7.5, dlat = 5.0      ! the size of a box in degrees: yours
  character(*), parameter :: restart_file = "landstep_restart.nc"
  character(10), parameter :: name(9) = [character(10) :: "frac_bt", "frac_nt", "frac_c3", "frac_c4", "frac_shrub", &
    "frac_urban", "frac_lake", "frac_soil", "frac_ice"]
  type(land_t) :: land
  integer :: stat
  character(512) :: errmsg

contains

  !> In jules.F90, after update_derived_variables.
  subroutine landstep_update()
    real(real_jlslsm) :: frac(land_pts, size(name))
    logical :: changed
    integer :: type_of(9), n

    if (is_spinup) return                        ! the years of spin-up come again and again
    type_of = [brd_leaf, ndl_leaf, c3_grass, c4_grass, shrub, urban, lake, soil, ice]
    if (.not. land%is_open()) call start(type_of)
    call land%update(current_time%year, current_time%month, current_time%day, changed, stat=stat, errmsg=errmsg)
    if (stat /= 0) call log_fatal("landstep_update", trim(errmsg))
    if (.not. changed) return
    do n = 1, size(name)
      call land%get(trim(name(n)), frac(:, n), stat=stat, errmsg=errmsg)
      if (stat /= 0) call log_fatal("landstep_update", trim(errmsg))
    end do
    if (all(frac == ainfo%frac_surft(:, type_of))) return
    ainfo%frac_surft(:, type_of) = frac
    call tilepts(land_pts, ainfo%frac_surft, ainfo%surft_pts, ainfo%surft_index, ainfo%l_lice_point, ainfo%l_lice_surft)
    call sparm(land_pts, nsurft, ainfo%surft_pts, ainfo%surft_index, ainfo%frac_surft, progs%canht_pft, progs%lai_pft, &
      psparms%z0m_soil_gb, psparms%catch_snow_surft, psparms%catch_surft, psparms%z0_surft, psparms%z0h_bare_surft, &
      urban_param%ztm_gb)
    call infiltration_rate(land_pts, nsurft, ainfo%surft_pts, ainfo%surft_index, psparms%satcon_soilt, ainfo%frac_surft, &
      psparms%infil_surft)
  end subroutine landstep_update

  subroutine start(type_of)
    integer, intent(in) :: type_of(:)
    real, dimension(land_pts) :: lon, lat
    real, dimension(2, land_pts) :: lon_bounds, lat_bounds
    integer :: index(land_pts), l, i, j, n
    logical :: there

    if (all_tiles == 0) call log_fatal("landstep_update", "set all_tiles = 1, so that a new tile has a state")
    do l = 1, land_pts
      j = (ainfo%land_index(l) - 1)/t_i_length + 1
      i = ainfo%land_index(l) - (j - 1)*t_i_length
      lon(l) = longitude(i, j)
      lat(l) = latitude(i, j)
      lon_bounds(:, l) = lon(l) + dlon*[-0.5, 0.5]
      lat_bounds(:, l) = min(max(lat(l) + dlat*[-0.5, 0.5], -90.0), 90.0)
    end do
    index = floor(modulo(lon, 360.0)/dlon) + ceiling(360/dlon)*floor((lat + 90)/dlat)     ! the same on any tasks
    inquire (file=restart_file, exist=there)
    if (there) then                              ! goes on; its baselines are in the file
      call land%init("experiment.toml", lon, lat, lon_bounds, lat_bounds, index=index, comm=mpi_local_comm, &
        restart=restart_file, stat=stat, errmsg=errmsg)
      if (stat /= 0) call log_fatal("landstep_update", trim(errmsg))
      return
    end if
    call land%init("experiment.toml", lon, lat, lon_bounds, lat_bounds, index=index, comm=mpi_local_comm, stat=stat, &
      errmsg=errmsg)
    do n = 1, size(name)
      if (stat == 0) call land%baseline(trim(name(n)), ainfo%frac_surft(:, type_of(n)), stat=stat, errmsg=errmsg)
    end do
    if (stat /= 0) call log_fatal("landstep_update", trim(errmsg))
  end subroutine start

  !> In jules.F90, after next_time, where JULES writes a dump.
  subroutine landstep_write_restart()
    if (.not. land%is_open()) return
    call land%write_restart(restart_file, stat=stat, errmsg=errmsg)
    if (stat /= 0) call log_fatal("landstep_write_restart", trim(errmsg))
  end subroutine landstep_write_restart

  !> In jules.F90, before mpi_finalize.
  subroutine landstep_end()
    if (.not. land%is_open()) return
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call log_fatal("landstep_end", trim(errmsg))
  end subroutine landstep_end
end module jules_landstep_mod
! page: end

!> JULES as the driver sees it: each task has some rows of the grid.
module host_under_test
  use ancil_info, only: land_pts, nsurft
  use host_kit, only: made_up, record_t, run_t
  use infiltration_rate_mod, only: infiltration_rate
  use jules_fields_mod, only: ainfo, progs, psparms, urban_param
  use jules_landstep_mod, only: landstep_end, landstep_update, landstep_write_restart
  use jules_surface_types_mod, only: ice, npft, ntype
  use jules_vars_mod, only: mpi_local_comm
  use model_grid_mod, only: latitude, longitude
  use model_time_mod, only: current_time
  use datetime_mod, only: datetime
  use sparm_mod, only: sparm
  use theta_field_sizes, only: t_i_length, t_j_length
  use tilepts_mod, only: tilepts
  use um_types, only: real_jlslsm
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

  integer, parameter :: nx = 48, ny = 36
  integer, allocatable :: place(:) !! of a land point in the whole grid

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run
    integer :: i, j, n, first

    mpi_local_comm = run%comm
    t_i_length = nx
    t_j_length = ny/run%n_ranks
    first = run%rank*t_j_length
    allocate (latitude(t_i_length, t_j_length), longitude(t_i_length, t_j_length), ainfo%land_index(0))
    do j = 1, t_j_length
      do i = 1, t_i_length
        longitude(i, j) = 7.5*(i - 1)
        latitude(i, j) = -87.5 + 5.0*(first + j - 1)
      end do
    end do
    call find_land(first)
    allocate (ainfo%surft_pts(ntype), ainfo%surft_index(land_pts, ntype), ainfo%l_lice_surft(ntype), &
      ainfo%l_lice_point(land_pts), ainfo%frac_surft(land_pts, ntype), progs%canht_pft(land_pts, npft), &
      progs%lai_pft(land_pts, npft), psparms%z0m_soil_gb(land_pts), psparms%catch_snow_surft(land_pts, nsurft), &
      psparms%catch_surft(land_pts, nsurft), psparms%z0_surft(land_pts, nsurft), &
      psparms%z0h_bare_surft(land_pts, nsurft), psparms%infil_surft(land_pts, nsurft), &
      psparms%satcon_soilt(land_pts, 1, 1), urban_param%ztm_gb(land_pts))
    do n = 1, ntype - 1
      ainfo%frac_surft(:, n) = max(part(10 + n) - 0.3_real_jlslsm, 0.0_real_jlslsm) + 0.001_real_jlslsm
    end do
    ainfo%frac_surft(:, ice) = 0
    ainfo%frac_surft = ainfo%frac_surft/spread(sum(ainfo%frac_surft, dim=2), 2, ntype)
    ainfo%l_lice_point = part(3) < 0.1
    do n = 1, ntype
      where (ainfo%l_lice_point) ainfo%frac_surft(:, n) = merge(1, 0, n == ice)
    end do
    do n = 1, npft
      progs%canht_pft(:, n) = 20*part(30 + n)
      progs%lai_pft(:, n) = 5*part(40 + n)
    end do
    psparms%z0m_soil_gb = 0.001
    psparms%satcon_soilt(:, 1, 1) = 0.01*part(50)
    urban_param%ztm_gb = 0
    call tilepts(land_pts, ainfo%frac_surft, ainfo%surft_pts, ainfo%surft_index, ainfo%l_lice_point, ainfo%l_lice_surft)
    call sparm(land_pts, nsurft, ainfo%surft_pts, ainfo%surft_index, ainfo%frac_surft, progs%canht_pft, progs%lai_pft, &
      psparms%z0m_soil_gb, psparms%catch_snow_surft, psparms%catch_surft, psparms%z0_surft, psparms%z0h_bare_surft, &
      urban_param%ztm_gb)
    call infiltration_rate(land_pts, nsurft, ainfo%surft_pts, ainfo%surft_index, psparms%satcon_soilt, ainfo%frac_surft, &
      psparms%infil_surft)
  end subroutine host_start

  !> Where the grid of this task is land.
  subroutine find_land(first)
    integer, intent(in) :: first
    integer :: i
    logical :: is_land(nx*t_j_length)

    is_land = reshape(made_up(real(longitude, kind(1.0d0)), real(latitude, kind(1.0d0)), 1) < 0.6, shape(is_land))
    deallocate (ainfo%land_index)
    land_pts = count(is_land)
    allocate (ainfo%land_index(land_pts))
    ainfo%land_index = pack([(i, i=1, size(is_land))], is_land)
    place = ainfo%land_index - 1 + nx*first
  end subroutine find_land

  !> A made-up field on the land points.
  function part(which)
    integer, intent(in) :: which
    real(real_jlslsm) :: part(land_pts)

    part = real(made_up(7.5d0*mod(place, nx), -87.5d0 + 5*(place/nx), which), real_jlslsm)
  end function part

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day

    current_time = datetime(year, month, day, 0)
    if (run%coupled) then
      ! page: begin
      call landstep_update()               ! jules.F90, after update_derived_variables
      ! page: end
    end if
  end subroutine host_day

  !> A year of 360 days: l_360.
  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = 30 + 0*(year + month)
  end function host_days

  subroutine host_record(record)
    type(record_t), intent(in) :: record
    integer :: n

    do n = 1, ntype
      call record%add("frac_surft", ainfo%frac_surft(:, n), ntype*place + n)
      call record%add("infil_surft", psparms%infil_surft(:, n), ntype*place + n)
      call record%add("z0_surft", psparms%z0_surft(:, n), ntype*place + n)
    end do
    call record%add("ztm_gb", urban_param%ztm_gb, place)
  end subroutine host_record

  !> A dump without frac (read_from_dump is false): the ancillary is read again.
  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call landstep_write_restart()        ! jules.F90, after next_time: if (start_of_year .or. end_of_run)
      ! page: end
    end if
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call landstep_end()                  ! jules.F90, before mpi_finalize
      ! page: end
    end if
  end subroutine host_end
end module host_under_test
