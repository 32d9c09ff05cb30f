!> A small host model: yearly energy and water of land points, with its own time loop over days. It
!> knows landstep only through module landstep, knows nothing of MPI, and works in whatever real kind
!> it is built for.
!>
!> It does what every host has to do: ask landstep at each step; when fields moved, move water and
!> heat between its tiles, and derive again what depends on the cover; tell landstep its climate; and
!> restart as if it had not stopped.
module example_host
  use example_energy, only: air_exchange, air_temperature, cover_length, cover_names, cover_of, cover_t, &
    daily_sunlight, first_heat, first_water, own_cover, precipitation, tile_day
  use example_points, only: coordinate_kind, points_problem, points_t
  use example_settings, only: settings_problem, settings_t
  use example_tiles, only: tiles_move, tiles_start, tiles_t, tiles_with_own
  use landstep, only: land_t
  implicit none
  private
  public :: host_t, host_open, host_run_year, host_run_day, host_close, host_derive, days_in_month
  public :: coordinate_kind, cover_length

  integer, parameter :: days_in_month(12) = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] !! noleap

  !> The host: its points, what landstep gives it, and what it makes of that.
  type :: host_t
    type(land_t) :: land
    logical :: coupled = .true., climate = .false., monthly = .false.
    integer :: year = 0                                    !! last year run
    integer :: updates = 0                                 !! how often fields moved
    real :: warming = 0                                    !! K, added to the air
    character(cover_length), allocatable :: covers(:)      !! the covers it asks for
    real(coordinate_kind), allocatable :: lat(:)           !! degrees
    type(tiles_t) :: tiles                                 !! of those covers, and the host's own
    real(coordinate_kind), allocatable :: covered(:)       !! share of the point's cell that is known
    real, allocatable :: dominant(:)                       !! class code, or 255
    real, allocatable :: albedo(:), roughness(:), evaporation(:), exchange(:) !! derived from the tiles
    real, allocatable :: temperature(:)                    !! K, mean over the year
    real, allocatable :: latent_heat(:)                    !! W m-2, mean over the year
    real, allocatable, private :: temperature_sum(:), latent_heat_sum(:) !! of the year so far
    real, allocatable, private :: air_sum(:), rain_sum(:)  !! since landstep was last told
    integer, private :: days_untold = 0
  end type host_t

contains

  !> Open the host on its points, starting from a year's map or a restart file.
  subroutine host_open(host, settings, points, stat, errmsg, comm)
    type(host_t), intent(inout) :: host
    type(settings_t), intent(in) :: settings
    type(points_t), intent(in) :: points
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer, intent(in), optional :: comm !! MPI communicator over which the points are divided
    character(:), allocatable :: start, restart
    integer, allocatable :: year
    integer :: covers, k

    call settings_problem(settings, stat, errmsg)
    if (stat /= 0) return
    covers = size(cover_names(trim(settings%covers)))
    if (.not. (settings%coupled .or. allocated(points%fraction))) then
      stat = 1
      errmsg = "without landstep the host needs fractions of its own: variable fraction of the points file"
    else if (points_problem(points, covers) /= "") then
      stat = 1
      errmsg = points_problem(points, covers)
    end if
    if (stat /= 0) return
    if (settings%coupled) then ! what is not allocated is an absent argument
      start = merge("initial", "restart", settings%restart_in == "")
      if (settings%start /= "") start = trim(settings%start)
      if (settings%restart_in == "") year = settings%first_year
      if (settings%restart_in /= "") restart = trim(settings%restart_in)
      call host%land%init(settings%experiment, points%lon, points%lat, points%lon_bounds, points%lat_bounds, &
        index=points%index, comm=comm, year=year, restart=restart, start=start, stat=stat, errmsg=errmsg)
      if (stat /= 0) return
    end if
    host%coupled = settings%coupled
    host%climate = settings%climate
    host%monthly = settings%exchange == "month"
    host%warming = settings%warming
    host%covers = cover_names(trim(settings%covers))
    call start_fields(host, points)
    if (.not. (host%coupled .and. allocated(points%fraction))) return
    do k = 1, size(host%covers)
      call host%land%baseline("area_fraction_"//host%covers(k), points%fraction(:, k), stat=stat, errmsg=errmsg)
      if (stat /= 0) return
    end do
  end subroutine host_open

  !> The host's own state at the start of a run: its fractions, or one tile until landstep gives some.
  subroutine start_fields(host, points)
    type(host_t), intent(inout) :: host
    type(points_t), intent(in) :: points
    real(coordinate_kind) :: fraction(size(points%lat), size(host%covers))
    integer :: n

    n = size(points%lat)
    fraction = 0
    if (allocated(points%fraction)) fraction = points%fraction
    host%lat = points%lat
    host%year = 0
    host%updates = 0
    host%days_untold = 0
    call tiles_start(host%tiles, tiles_with_own(fraction), first_water(host%lat), first_heat(host%lat))
    host%covered = spread(0.0_coordinate_kind, 1, n)
    host%dominant = spread(0.0, 1, n)
    host%temperature = spread(0.0, 1, n)
    host%latent_heat = spread(0.0, 1, n)
    host%temperature_sum = host%temperature
    host%latent_heat_sum = host%latent_heat
    host%air_sum = host%temperature
    host%rain_sum = host%temperature
    call host_derive(host)
  end subroutine start_fields

  !> The host's time loop over one year: 365 days, landstep asked every day or every month.
  subroutine host_run_year(host, year, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(in) :: year
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: month, day

    do month = 1, 12
      do day = 1, days_in_month(month)
        call host_run_day(host, year, month, day, stat, errmsg)
        if (stat /= 0) return
      end do
    end do
  end subroutine host_run_year

  !> A day of the host, the days of a year in their order. Where landstep cannot be brought to the
  !> date the day is not run, and the host may go on with another.
  subroutine host_run_day(host, year, month, day, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(in) :: year, month, day !! of the calendar without leap days
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    logical :: changed
    integer :: day_of_year

    stat = 0
    if (host%coupled .and. (day == 1 .or. .not. host%monthly)) then
      call host%land%update(year, month, day, changed, stat, errmsg)
      if (stat == 0 .and. changed) call take_fields(host, stat, errmsg)
      if (stat /= 0) return
    end if
    day_of_year = sum(days_in_month(:month - 1)) + day
    if (day_of_year == 1) then
      host%temperature_sum = 0
      host%latent_heat_sum = 0
    end if
    call run_tiles(host, day_of_year)
    if (host%coupled .and. host%climate .and. (day == days_in_month(month) .or. .not. host%monthly)) then
      call tell_climate(host, stat, errmsg)
      if (stat /= 0) return
    end if
    if (day_of_year < sum(days_in_month)) return
    host%temperature = host%temperature_sum
    host%latent_heat = host%latent_heat_sum
    host%year = year
  end subroutine host_run_day

  !> Close the host.
  subroutine host_close(host, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg

    stat = 0
    if (host%coupled) call host%land%finalize(stat, errmsg)
  end subroutine host_close

  !> Fetch landstep's fields, move the stores, and derive again what depends on the cover. All is
  !> fetched before anything is changed, so that a failure leaves the host as it was.
  subroutine take_fields(host, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    real(coordinate_kind), dimension(size(host%lat), size(host%covers)) :: fraction, gain, loss
    real(coordinate_kind) :: covered(size(host%lat)), turnover(size(host%lat), size(host%covers) + 1)
    real :: dominant(size(host%lat))
    integer :: k

    do k = 1, size(host%covers)
      call host%land%get("area_fraction_"//host%covers(k), fraction(:, k), stat, errmsg)
      if (stat == 0) call host%land%get_change(host%covers(k), gain(:, k), loss(:, k), stat, errmsg)
      if (stat /= 0) return
    end do
    call host%land%get("covered_fraction", covered, stat, errmsg)
    if (stat == 0) call host%land%get("dominant_class", dominant, stat, errmsg)
    if (stat /= 0) return

    turnover = 0 ! of the host's own tile landstep knows nothing
    turnover(:, :size(host%covers)) = min(gain, loss)
    host%covered = covered
    host%dominant = dominant
    call tiles_move(host%tiles, tiles_with_own(fraction), turnover)
    call host_derive(host)
    host%updates = host%updates + 1
  end subroutine take_fields

  !> What depends on the tiles' fractions and on nothing else: derived when they moved, not each day.
  subroutine host_derive(host)
    type(host_t), intent(inout) :: host
    real :: share(size(host%lat)), log_roughness(size(host%lat))
    type(cover_t) :: cover
    integer :: k

    host%albedo = spread(0.0, 1, size(host%lat))
    host%evaporation = host%albedo
    log_roughness = 0
    do k = 1, size(host%covers) + 1
      cover = own_cover
      if (k <= size(host%covers)) cover = cover_of(host%covers(k))
      share = real(host%tiles%fraction(:, k))
      host%albedo = host%albedo + share*cover%albedo
      log_roughness = log_roughness + share*log(cover%roughness)
      host%evaporation = host%evaporation + share*cover%evaporation
    end do
    host%roughness = exp(log_roughness)
    host%exchange = air_exchange(host%roughness) ! the wind is that of the whole point
  end subroutine host_derive

  !> One day of every tile that has area.
  subroutine run_tiles(host, day_of_year)
    type(host_t), intent(inout) :: host
    integer, intent(in) :: day_of_year
    type(cover_t) :: covers(size(host%covers) + 1)
    real :: air, sunlight, rain, temperature, latent_heat, share
    integer :: i, k

    covers = [cover_of(host%covers), own_cover]
    do i = 1, size(host%lat)
      air = air_temperature(host%lat(i), day_of_year) + host%warming
      rain = precipitation(host%lat(i), day_of_year)
      sunlight = daily_sunlight(host%lat(i), day_of_year)
      do k = 1, size(covers)
        if (host%tiles%fraction(i, k) <= 0) cycle
        call tile_day(covers(k), host%exchange(i), air, sunlight, rain, host%tiles%water(i, k), &
          host%tiles%heat(i, k), temperature, latent_heat)
        share = real(host%tiles%fraction(i, k))/365
        host%temperature_sum(i) = host%temperature_sum(i) + share*temperature
        host%latent_heat_sum(i) = host%latent_heat_sum(i) + share*latent_heat
      end do
      host%air_sum(i) = host%air_sum(i) + air
      host%rain_sum(i) = host%rain_sum(i) + rain
    end do
    host%days_untold = host%days_untold + 1
  end subroutine run_tiles

  !> Tell landstep the mean climate of the days since it was last told.
  subroutine tell_climate(host, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg

    call host%land%put("air_temperature", host%air_sum/host%days_untold, units="K", stat=stat, errmsg=errmsg)
    if (stat == 0) call host%land%put("precipitation_flux", host%rain_sum/host%days_untold, &
      units="kg m-2 s-1", stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    host%air_sum = 0
    host%rain_sum = 0
    host%days_untold = 0
  end subroutine tell_climate
end module example_host
