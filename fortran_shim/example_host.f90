!> A small host model: the yearly energy balance of land points, with its own time loop over days.
!> It knows landstep only through module landstep, and works in whatever real kind it is built for.
!>
!> Each day and point: absorbed sunlight + sky radiation = emitted + sensible + latent heat. Albedo,
!> roughness length and evaporation come from the cover that landstep gives. The numbers are
!> round and ours, for an example: not a land model.
module example_host
  use landstep, only: land_t
  implicit none
  private
  public :: host_t, host_open, host_run_year, host_close, host_covers, days_in_month
  public :: coordinate_kind, cover_length

  integer, parameter :: coordinate_kind = selected_real_kind(13) !! of places and of fields as landstep hands them
  integer, parameter :: cover_length = 32
  integer, parameter :: days_in_month(12) = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] !! noleap
  integer, parameter :: balance_steps = 6 !! Newton steps a day; three already reach rounding

  real, parameter :: pi = 3.14159265
  real, parameter :: solar_constant = 1361.0      !! W m-2; Kopp and Lean 2011, doi:10.1029/2010GL045777
  real, parameter :: stefan_boltzmann = 5.670374e-8 !! W m-2 K-4; CODATA 2018
  real, parameter :: transmission = 0.55          !! share of sunlight that reaches the ground
  real, parameter :: sky_emissivity = 0.8
  real, parameter :: air_density = 1.2, heat_capacity = 1004.0 !! kg m-3, J kg-1 K-1
  real, parameter :: wind_speed = 4.0, reference_height = 30.0 !! m s-1, m
  real, parameter :: von_karman = 0.4
  real, parameter :: latent_over_sensible = 1.2   !! latent per sensible heat where all is wet
  real, parameter :: dryness = 4.0                !! K by which the air would have to cool to be saturated

  !> What a cover is to the air. Roughness lengths of the vegetation: ecLand's table (Apache-2.0);
  !> albedos: the middle of the ranges of Oke 1987, Boundary Layer Climates, table 1.1.
  type :: cover_t
    character(cover_length) :: name
    real :: albedo      !! 0..1
    real :: roughness   !! m
    real :: evaporation !! 0 dry .. 1 wet
  end type cover_t

  type(cover_t), parameter :: table(*) = [ &
    cover_t("ocean", 0.07, 0.0001, 1.0), &
    cover_t("water", 0.07, 0.0001, 1.0), &
    cover_t("not_land", 0.07, 0.0001, 1.0), &
    cover_t("urban", 0.17, 1.0, 0.1), &
    cover_t("cropland", 0.20, 0.25, 0.6), &
    cover_t("agriculture", 0.20, 0.25, 0.6), &
    cover_t("mosaic", 0.20, 0.2, 0.6), &
    cover_t("pasture", 0.22, 0.1, 0.5), &
    cover_t("pasture_grass_shrub", 0.21, 0.1, 0.45), &
    cover_t("grass_shrub", 0.21, 0.1, 0.4), &
    cover_t("other_natural", 0.20, 0.2, 0.5), &
    cover_t("forest", 0.14, 1.5, 0.8), &
    cover_t("other_land", 0.30, 0.013, 0.1), &
    cover_t("other_non_vegetated", 0.30, 0.013, 0.1)]

  !> The host: its points, what landstep gives it, and what it makes of that.
  type :: host_t
    type(land_t) :: land
    integer :: year = 0                                    !! last year run
    integer :: updates = 0                                 !! how often fields moved
    character(cover_length), allocatable :: covers(:)      !! the covers it asks for
    real(coordinate_kind), allocatable :: lon(:), lat(:)   !! degrees
    real(coordinate_kind), allocatable :: fractions(:, :)  !! (point, cover) as handed over
    real(coordinate_kind), allocatable :: covered(:)       !! share of the point's cell that is known
    real, allocatable :: dominant(:)                       !! class code, or 255
    real, allocatable :: albedo(:), roughness(:), evaporation(:)
    real, allocatable :: temperature(:)                    !! K, mean over the year
    real, allocatable :: latent_heat(:)                    !! W m-2, mean over the year
  end type host_t

contains

  !> Open the host on its points, starting from a year's map or a restart file.
  subroutine host_open(host, experiment, covers, lon, lat, lon_bounds, lat_bounds, year, restart, stat, errmsg)
    type(host_t), intent(inout) :: host
    character(*), intent(in) :: experiment
    character(*), intent(in) :: covers                          !! names with commas between
    real(coordinate_kind), intent(in), contiguous :: lon(:), lat(:) !! degrees
    real(coordinate_kind), intent(in), contiguous, optional :: lon_bounds(:, :), lat_bounds(:, :) !! (2, n)
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: i

    call host%land%init(experiment, lon, lat, lon_bounds, lat_bounds, year=year, restart=restart, stat=stat, &
      errmsg=errmsg)
    if (stat /= 0) return
    host%covers = host_covers(covers)
    do i = 1, size(host%covers)
      if (cover_row(host%covers(i)) > 0) cycle
      stat = 1
      errmsg = "the host has no surface values for cover '"//trim(host%covers(i))//"'"
      call host%land%finalize()
      return
    end do
    host%lon = lon
    host%lat = lat
    host%year = 0
    host%updates = 0
    if (allocated(host%fractions)) then
      deallocate (host%fractions, host%covered, host%dominant, host%albedo, host%roughness)
      deallocate (host%evaporation, host%temperature, host%latent_heat)
    end if
    allocate (host%fractions(size(lon), size(host%covers)), host%covered(size(lon)), host%dominant(size(lon)))
    allocate (host%albedo(size(lon)), host%roughness(size(lon)), host%evaporation(size(lon)))
    allocate (host%temperature(size(lon)), host%latent_heat(size(lon)))
    host%fractions = 0
    host%covered = 0
    host%dominant = 0
    host%temperature = 0
    host%latent_heat = 0
  end subroutine host_open

  !> The host's time loop over one year: 365 days, landstep asked every day.
  subroutine host_run_year(host, year, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(in) :: year
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    real, allocatable :: temperature(:), latent_heat(:) ! of a day
    real, allocatable :: mean_temperature(:), mean_latent_heat(:)
    logical :: changed
    integer :: month, day, day_of_year

    day_of_year = 0
    do month = 1, 12
      do day = 1, days_in_month(month)
        day_of_year = day_of_year + 1
        call host%land%update(year, month, day, changed, stat, errmsg)
        if (stat /= 0) return ! nothing has changed: the host may go on with another year
        if (changed) call take_fields(host, stat, errmsg)
        if (stat /= 0) return
        if (day_of_year == 1) call start_means(size(host%lon))
        call balance(host, day_of_year, temperature, latent_heat)
        mean_temperature = mean_temperature + temperature/365
        mean_latent_heat = mean_latent_heat + latent_heat/365
      end do
    end do
    host%temperature = mean_temperature
    host%latent_heat = mean_latent_heat
    host%year = year

  contains

    subroutine start_means(n)
      integer, intent(in) :: n

      allocate (temperature(n), latent_heat(n), mean_temperature(n), mean_latent_heat(n))
      mean_temperature = 0
      mean_latent_heat = 0
    end subroutine start_means
  end subroutine host_run_year

  !> Close the host.
  subroutine host_close(host, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg

    call host%land%finalize(stat, errmsg)
  end subroutine host_close

  !> Fetch landstep's fields and derive again what depends on them.
  subroutine take_fields(host, stat, errmsg)
    type(host_t), intent(inout) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    real :: share(size(host%lon)), total(size(host%lon)), log_roughness(size(host%lon))
    type(cover_t) :: cover
    integer :: i

    do i = 1, size(host%covers)
      call host%land%get("area_fraction_"//host%covers(i), host%fractions(:, i), stat, errmsg)
      if (stat /= 0) return
    end do
    call host%land%get("covered_fraction", host%covered, stat, errmsg)
    if (stat /= 0) return
    call host%land%get("dominant_class", host%dominant, stat, errmsg)
    if (stat /= 0) return
    host%updates = host%updates + 1

    total = 0
    host%albedo = 0
    log_roughness = 0
    host%evaporation = 0
    do i = 1, size(host%covers)
      cover = table(cover_row(host%covers(i)))
      share = real(host%fractions(:, i))
      total = total + share
      host%albedo = host%albedo + share*cover%albedo
      log_roughness = log_roughness + share*log(cover%roughness)
      host%evaporation = host%evaporation + share*cover%evaporation
    end do
    where (total > 0)
      host%albedo = host%albedo/total
      host%roughness = exp(log_roughness/total)
      host%evaporation = host%evaporation/total
    elsewhere ! landstep knows nothing here: the host's own sea
      host%albedo = table(1)%albedo
      host%roughness = table(1)%roughness
      host%evaporation = table(1)%evaporation
    end where
  end subroutine take_fields

  !> Surface temperature (K) and latent heat (W m-2) that balance one day's energy.
  pure subroutine balance(host, day_of_year, temperature, latent_heat)
    type(host_t), intent(in) :: host
    integer, intent(in) :: day_of_year
    real, intent(out) :: temperature(:), latent_heat(:)
    real :: lat, air, absorbed, exchange, conductance, wet, surface, gain, slope
    integer :: i, n

    do i = 1, size(temperature)
      lat = real(host%lat(i))*pi/180
      air = air_temperature(lat, day_of_year)
      absorbed = (1 - host%albedo(i))*transmission*daily_sunlight(lat, day_of_year) &
        + sky_emissivity*stefan_boltzmann*air**4
      exchange = (von_karman/log(reference_height/host%roughness(i)))**2
      conductance = air_density*heat_capacity*exchange*wind_speed
      wet = latent_over_sensible*host%evaporation(i)*conductance
      surface = air
      do n = 1, balance_steps
        gain = absorbed - stefan_boltzmann*surface**4 - conductance*(surface - air) - wet*(surface - air + dryness)
        slope = 4*stefan_boltzmann*surface**3 + conductance + wet
        surface = surface + gain/slope
      end do
      temperature(i) = surface
      latent_heat(i) = wet*(surface - air + dryness)
    end do
  end subroutine balance

  !> Sunlight at the top of the air, daily mean, W m-2. Source: Liou 2002, An Introduction to
  !> Atmospheric Radiation, eq. 2.2.21, with a circular orbit.
  elemental real function daily_sunlight(lat, day_of_year)
    real, intent(in) :: lat !! radians
    integer, intent(in) :: day_of_year
    real :: declination, half_day

    declination = -23.44*pi/180*cos(2*pi*(day_of_year + 10)/365)
    half_day = acos(max(-1.0, min(1.0, -tan(0.999*lat)*tan(declination))))
    daily_sunlight = solar_constant/pi*(half_day*sin(lat)*sin(declination) &
      + cos(lat)*cos(declination)*sin(half_day))
  end function daily_sunlight

  !> A climate for the example: K.
  elemental real function air_temperature(lat, day_of_year)
    real, intent(in) :: lat !! radians
    integer, intent(in) :: day_of_year

    air_temperature = 300 - 40*sin(lat)**2 - 20*sin(lat)*cos(2*pi*(day_of_year - 20)/365)
  end function air_temperature

  !> Split names at their commas.
  pure function host_covers(text) result(covers)
    character(*), intent(in) :: text
    character(cover_length), allocatable :: covers(:)
    integer :: i, first, comma

    allocate (covers(1 + count([(text(i:i) == ",", i=1, len(text))])))
    first = 1
    do i = 1, size(covers)
      comma = index(text(first:)//",", ",")
      covers(i) = adjustl(text(first:first + comma - 2))
      first = first + comma
    end do
  end function host_covers

  !> Row of a cover in the host's table, or 0.
  pure integer function cover_row(name)
    character(*), intent(in) :: name
    integer :: i

    cover_row = 0
    do i = 1, size(table)
      if (table(i)%name == name) cover_row = i
    end do
  end function cover_row
end module example_host
