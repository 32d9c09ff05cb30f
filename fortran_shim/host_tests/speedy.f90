! page: begin
!> The land of SPEEDY by landstep.
module speedy_land
  use boundaries, only: alb0, fmask
  use date, only: model_datetime
  use geometry, only: radang
  use input_output, only: load_boundary_file
  use land_model, only: bmask_l, soilw12        ! add these two to its public names
  use landstep, only: land_t
  use params, only: il, ix
  use types, only: p
  implicit none
  private
  public :: speedy_land_init, speedy_land_update, speedy_land_put, speedy_land_write_restart, speedy_land_end

  character(*), parameter :: experiment = "experiment.toml"     ! none in the run's folder: as without landstep
  type(land_t) :: land
  real(p), dimension(ix, il) :: vegh, vegl, vegh_own, vegl_own
  real(p) :: soilw12_own(ix, il, 12)
  integer :: stat
  character(512) :: errmsg

contains

  !> Open the experiment, give SPEEDY's own fields, and bring them to the first date.
  subroutine speedy_land_init(restart)
    character(*), intent(in), optional :: restart               ! of landstep; SPEEDY has none of its own
    real(p), parameter :: degrees = 180/acos(-1.0_p)
    real(p) :: lon(ix, il), lat(ix, il), lon_bounds(2, ix, il), lat_bounds(2, ix, il), edge(0:il)
    logical :: asked_for
    integer :: i, j

    inquire (file=experiment, exist=asked_for)
    if (.not. asked_for) return
    edge(0) = -90
    edge(1:il - 1) = degrees*(radang(1:il - 1) + radang(2:il))/2
    edge(il) = 90
    do j = 1, il
      do i = 1, ix
        lon(i, j) = 360.0_p/ix*(i - 1)
        lat(i, j) = degrees*radang(j)
        lon_bounds(:, i, j) = lon(i, j) + 360.0_p/ix*[-0.5_p, 0.5_p]
        lat_bounds(:, i, j) = edge(j - 1:j)
      end do
    end do
    vegh_own = load_boundary_file("surface.nc", "vegh")
    vegl_own = load_boundary_file("surface.nc", "vegl")
    vegh = vegh_own
    vegl = vegl_own
    soilw12_own = soilw12
    call land%init(experiment, lon, lat, lon_bounds, lat_bounds, mask=fmask > 0, &
      restart=restart, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("vegh", vegh_own, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("vegl", vegl_own, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("alb", alb0, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
    call speedy_land_update()
  end subroutine speedy_land_init

  !> Once a day, before set_forcing.
  subroutine speedy_land_update()
    logical :: changed
    integer :: month

    if (.not. land%is_open()) return
    call land%update(model_datetime%year, model_datetime%month, model_datetime%day, changed, stat=stat, errmsg=errmsg)
    if (stat == 0 .and. changed) call land%get("vegh", vegh, stat=stat, errmsg=errmsg)
    if (stat == 0 .and. changed) call land%get("vegl", vegl, stat=stat, errmsg=errmsg)
    if (stat == 0 .and. changed) call land%get("alb", alb0, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
    if (.not. changed) return
    do month = 1, 12
      soilw12(:, :, month) = soilw12_own(:, :, month) + bmask_l*soil_water_change(month)
    end do
  end subroutine speedy_land_update

  !> What the change of vegetation does to soilw12: 0 where there is none, whatever the compiler's flags.
  function soil_water_change(month) result(change)
    integer, intent(in) :: month
    real(p), dimension(ix, il) :: change, swl1, swl2

    swl1 = load_boundary_file("soil.nc", "swl1", month)
    swl2 = load_boundary_file("soil.nc", "swl2", month)
    change = soil_water(swl1, swl2, vegh, vegl) - soil_water(swl1, swl2, vegh_own, vegl_own)
  end function soil_water_change

  !> The formula of land_model_init.
  elemental real(p) function soil_water(swl1, swl2, vegh, vegl)
    real(p), intent(in) :: swl1, swl2, vegh, vegl
    real(p), parameter :: swcap = 0.30, swwil = 0.17

    soil_water = min(1.0_p, (swl1 + max(0.0_p, vegh + 0.8*vegl)*max(0.0_p, 3*swl2 - 3*swwil)) &
      /(swcap + 3*(swcap - swwil)))
  end function soil_water

  !> Every time step: SPEEDY's climate, if the land is to answer to it.
  subroutine speedy_land_put(t0, rain)
    real(p), intent(in) :: t0(ix, il)           ! K, the t0 of get_surface_fluxes
    real(p), intent(in) :: rain(ix, il)         ! g m-2 s-1, precnv + precls of auxiliaries

    if (.not. land%is_open()) return
    call land%put("air_temperature", t0, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%put("precipitation_flux", rain, units="g m-2 s-1", stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine speedy_land_put

  !> The land, to go on from.
  subroutine speedy_land_write_restart()
    if (.not. land%is_open()) return
    call land%write_restart("landstep_restart.nc", stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine speedy_land_write_restart

  !> At the end of the run.
  subroutine speedy_land_end()
    if (.not. land%is_open()) return
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine speedy_land_end

  subroutine give_up()
    print "(a)", trim(errmsg)
    error stop
  end subroutine give_up
end module speedy_land
! page: end

!> SPEEDY as the driver sees it.
module host_under_test
  use auxiliaries, only: precls, precnv
  use boundaries, only: alb0, initialize_boundaries
  use date, only: datetime, model_datetime
  use forcing, only: alb_l, set_forcing
  use geometry, only: initialize_geometry
  use host_kit, only: days_noleap, record_t, run_t
  use land_model, only: land_model_init, soilw12
  use params, only: il, ix
  use speedy_land, only: speedy_land_end, speedy_land_init, speedy_land_put, speedy_land_update, &
    speedy_land_write_restart
  use types, only: p
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run

    model_datetime = datetime(run%first(1), run%first(2), run%first(3), 0, 0)
    call initialize_geometry()
    call initialize_boundaries()
    call land_model_init()
    if (run%coupled .and. run%restarted) then
      call speedy_land_init("landstep_restart.nc")
    else if (run%coupled) then
      ! page: begin
      call speedy_land_init()     ! coupler.f90, initialize_coupler: after land_model_init
      ! page: end
    end if
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day
    real(p) :: t0(ix, il)

    model_datetime = datetime(year, month, day, 0, 0)
    t0 = 285 + 10*alb0
    precnv = 0.02_p + 0.01_p*alb0
    precls = 0.01_p
    if (run%coupled) then
      ! page: begin
      call speedy_land_update()   ! speedy.f90: among the daily tasks, before set_forcing
      ! page: end
      call set_forcing(1)
      ! page: begin
      call speedy_land_put(t0, precnv + precls)   ! physics.f90, get_physical_tendencies: after get_surface_fluxes
      ! page: end
    else
      call set_forcing(1)
    end if
  end subroutine host_day

  !> SPEEDY has 29 February in every year that 4 divides.
  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = days_noleap(month)
    if (month == 2 .and. mod(year, 4) == 0) host_days = 29
  end function host_days

  subroutine host_record(record)
    type(record_t), intent(in) :: record
    integer :: index(ix, il), i

    index = reshape([(i, i=0, ix*il - 1)], [ix, il])
    call record%add("alb0", alb0, index)
    call record%add("alb_l", alb_l, index)
    call record%add("soilw12", soilw12(:, :, record%month), index)
  end subroutine host_record

  !> SPEEDY has no restart of its own: it goes on from this alone.
  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call speedy_land_write_restart()   ! speedy.f90: after the main loop
      ! page: end
    end if
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call speedy_land_end()      ! speedy.f90: last
      ! page: end
    end if
  end subroutine host_end
end module host_under_test
