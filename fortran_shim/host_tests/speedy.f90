! page: begin
!> The land of SPEEDY by landstep.
module speedy_land
  use boundaries, only: alb0, fmask, forchk
  use date, only: model_datetime
  use geometry, only: radang
  use input_output, only: load_boundary_file
  use land_model, only: bmask_l, soilw12          ! make these two public in land_model.f90
  use landstep, only: land_t
  use params, only: il, ix
  use types, only: p
  implicit none
  private
  public :: speedy_land_init, speedy_land_update, speedy_land_write_restart, speedy_land_end

  type(land_t) :: land
  real(p), dimension(ix, il) :: vegh, vegl
  integer :: stat
  character(512) :: errmsg

contains

  !> After land_model_init. With a restart file of landstep: from there.
  subroutine speedy_land_init(restart)
    character(*), intent(in), optional :: restart
    real(p), parameter :: degrees = 180/acos(-1.0_p)
    real(p) :: lon(ix, il), lat(ix, il), lon_bounds(2, ix, il), lat_bounds(2, ix, il), edge(0:il)
    integer :: i, j

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
    vegh = load_boundary_file("surface.nc", "vegh")
    vegl = load_boundary_file("surface.nc", "vegl")
    call land%init("experiment.toml", lon, lat, lon_bounds, lat_bounds, mask=fmask > 0, restart=restart, &
      stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("vegh", vegh, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("vegl", vegl, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("alb", alb0, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine speedy_land_init

  !> Once a day, before set_forcing.
  subroutine speedy_land_update()
    logical :: changed

    call land%update(model_datetime%year, model_datetime%month, model_datetime%day, changed, stat=stat, errmsg=errmsg)
    if (stat == 0 .and. changed) call land%get("vegh", vegh, stat=stat, errmsg=errmsg)
    if (stat == 0 .and. changed) call land%get("vegl", vegl, stat=stat, errmsg=errmsg)
    if (stat == 0 .and. changed) call land%get("alb", alb0, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
    if (changed) call derive_soil_water()
  end subroutine speedy_land_update

  !> soilw12 as land_model_init makes it, from the vegetation of today.
  subroutine derive_soil_water()
    real(p), dimension(ix, il) :: veg, swl1, swl2
    integer :: month

    veg = max(0.0_p, vegh + 0.8*vegl)
    do month = 1, 12
      swl1 = load_boundary_file("soil.nc", "swl1", month)
      swl2 = load_boundary_file("soil.nc", "swl2", month)
      soilw12(:, :, month) = min(1.0_p, (swl1 + veg*max(0.0_p, 3*swl2 - 0.51))/0.69)
    end do
    call forchk(bmask_l, 12, 0.0_p, 10.0_p, 0.0_p, soilw12)
  end subroutine derive_soil_water

  !> The land, to go on from: SPEEDY has no restart of its own.
  subroutine speedy_land_write_restart()
    call land%write_restart("landstep_restart.nc", stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine speedy_land_write_restart

  !> At the end.
  subroutine speedy_land_end()
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
  use boundaries, only: alb0, initialize_boundaries
  use date, only: datetime, model_datetime
  use forcing, only: alb_l, set_forcing
  use geometry, only: initialize_geometry
  use host_kit, only: days_noleap, record_t, run_t
  use land_model, only: land_model_init, soilw12
  use params, only: il, ix
  use speedy_land, only: speedy_land_end, speedy_land_init, speedy_land_update, speedy_land_write_restart
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run

    call initialize_geometry()
    call initialize_boundaries()
    call land_model_init()
    if (run%coupled .and. run%restarted) then
      call speedy_land_init("landstep_restart.nc")
    else if (run%coupled) then
      ! page: begin
      call speedy_land_init()     ! initialization.f90, after initialize_coupler
      ! page: end
    end if
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day

    model_datetime = datetime(year, month, day, 0, 0)
    if (run%coupled) then
      ! page: begin
      call speedy_land_update()   ! speedy.f90, among the daily tasks
      call set_forcing(1)
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

  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run

    if (run%coupled) call speedy_land_write_restart()
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) call speedy_land_end()
  end subroutine host_end
end module host_under_test
