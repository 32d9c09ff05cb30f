!> What the example host knows of covers and of weather, and one day of one tile: the energy that
!> balances at its surface, the water in its soil, the heat in its ground. The numbers are round and
!> ours, for an example: not a land model.
!>
!> Each day: absorbed sunlight + sky radiation = emitted + sensible + latent + ground heat.
module example_energy
  use example_points, only: coordinate_kind
  implicit none
  private
  public :: cover_t, cover_names, cover_of, cover_row, own_cover, cover_length
  public :: air_temperature, precipitation, daily_sunlight, air_exchange, tile_day, first_water, first_heat

  integer, parameter :: cover_length = 32
  integer, parameter :: balance_steps = 6 !! Newton steps a day; three already reach rounding
  real, parameter :: day_length = 86400.0 !! s

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
  real, parameter :: vaporisation = 2.5e6         !! J kg-1
  real, parameter :: ground_capacity = 4.0e6      !! J m-2 K-1: two metres of moist soil
  real, parameter :: ground_conductance = 1.0     !! W m-2 K-1

  !> What a cover is to the air and the rain. Roughness lengths of the vegetation: ecLand's table
  !> (Apache-2.0); albedos: the middle of the ranges of Oke 1987, Boundary Layer Climates, table 1.1.
  type :: cover_t
    character(cover_length) :: name
    real :: albedo      !! 0..1
    real :: roughness   !! m
    real :: evaporation !! 0 dry .. 1 wet
    real :: capacity    !! kg m-2 of water; what is above runs off
  end type cover_t

  type(cover_t), parameter :: table(*) = [ &
    cover_t("ocean", 0.07, 0.0001, 1.0, 300.0), &
    cover_t("water", 0.07, 0.0001, 1.0, 300.0), &
    cover_t("not_land", 0.07, 0.0001, 1.0, 300.0), &
    cover_t("urban", 0.17, 1.0, 0.1, 100.0), &
    cover_t("cropland", 0.20, 0.25, 0.6, 150.0), &
    cover_t("agriculture", 0.20, 0.25, 0.6, 150.0), &
    cover_t("mosaic", 0.20, 0.2, 0.6, 150.0), &
    cover_t("pasture", 0.22, 0.1, 0.5, 150.0), &
    cover_t("pasture_grass_shrub", 0.21, 0.1, 0.45, 150.0), &
    cover_t("grass_shrub", 0.21, 0.1, 0.4, 150.0), &
    cover_t("other_natural", 0.20, 0.2, 0.5, 150.0), &
    cover_t("forest", 0.14, 1.5, 0.8, 250.0), &
    cover_t("other_land", 0.30, 0.013, 0.1, 100.0), &
    cover_t("other_non_vegetated", 0.30, 0.013, 0.1, 100.0)]

  type(cover_t), parameter :: own_cover = cover_t("host's own", 0.07, 0.0001, 1.0, 300.0) !! sea

contains

  !> One day of a tile. Its stores move on by what the fluxes bring and take.
  elemental subroutine tile_day(cover, exchange, air, sunlight, rain, water, heat, temperature, latent_heat)
    type(cover_t), intent(in) :: cover
    real, intent(in) :: exchange                    !! W m-2 K-1 between surface and air
    real, intent(in) :: air, sunlight, rain         !! K, W m-2, kg m-2 s-1
    real, intent(inout) :: water, heat              !! kg m-2, J m-2 above 0 K
    real, intent(out) :: temperature, latent_heat   !! K, W m-2
    real :: absorbed, wet, ground, gain, slope
    integer :: n

    absorbed = (1 - cover%albedo)*transmission*sunlight + sky_emissivity*stefan_boltzmann*air**4
    wet = latent_over_sensible*cover%evaporation*min(1.0, 2*water/cover%capacity)*exchange
    ground = heat/ground_capacity
    temperature = air
    do n = 1, balance_steps
      gain = absorbed - stefan_boltzmann*temperature**4 - exchange*(temperature - air) &
        - wet*(temperature - air + dryness) - ground_conductance*(temperature - ground)
      slope = 4*stefan_boltzmann*temperature**3 + exchange + wet + ground_conductance
      temperature = temperature + gain/slope
    end do
    latent_heat = wet*(temperature - air + dryness)
    water = min(cover%capacity, water + day_length*(rain - latent_heat/vaporisation))
    heat = heat + day_length*ground_conductance*(temperature - ground)
  end subroutine tile_day

  !> Heat that goes to the air per K: W m-2 K-1.
  elemental real function air_exchange(roughness)
    real, intent(in) :: roughness !! m

    air_exchange = air_density*heat_capacity*wind_speed*(von_karman/log(reference_height/roughness))**2
  end function air_exchange

  !> Sunlight at the top of the air, daily mean, W m-2. Source: Liou 2002, An Introduction to
  !> Atmospheric Radiation, eq. 2.2.21, with a circular orbit.
  elemental real function daily_sunlight(lat_deg, day_of_year)
    real(coordinate_kind), intent(in) :: lat_deg
    integer, intent(in) :: day_of_year
    real :: lat, declination, half_day

    lat = radians(lat_deg)
    declination = -23.44*pi/180*cos(2*pi*(day_of_year + 10)/365)
    half_day = acos(max(-1.0, min(1.0, -tan(0.999*lat)*tan(declination))))
    daily_sunlight = solar_constant/pi*(half_day*sin(lat)*sin(declination) &
      + cos(lat)*cos(declination)*sin(half_day))
  end function daily_sunlight

  !> A climate for the example: K.
  elemental real function air_temperature(lat_deg, day_of_year)
    real(coordinate_kind), intent(in) :: lat_deg
    integer, intent(in) :: day_of_year
    real :: lat

    lat = radians(lat_deg)
    air_temperature = 300 - 40*sin(lat)**2 - 20*sin(lat)*cos(2*pi*(day_of_year - 20)/365)
  end function air_temperature

  !> Rain and snow of that climate, most in summer: kg m-2 s-1.
  elemental real function precipitation(lat_deg, day_of_year)
    real(coordinate_kind), intent(in) :: lat_deg
    integer, intent(in) :: day_of_year
    real :: lat

    lat = radians(lat_deg)
    precipitation = (4 - 2*sin(lat)**2)*(1 - 0.5*sin(lat)*cos(2*pi*(day_of_year - 20)/365))/day_length
  end function precipitation

  !> Water that a tile of a new run holds: kg m-2.
  elemental real function first_water(lat_deg)
    real(coordinate_kind), intent(in) :: lat_deg

    first_water = 60 + 40*cos(radians(lat_deg))
  end function first_water

  !> Heat that a tile of a new run holds, as warm as its year's mean air: J m-2 above 0 K.
  elemental real function first_heat(lat_deg)
    real(coordinate_kind), intent(in) :: lat_deg

    first_heat = ground_capacity*(300 - 40*sin(radians(lat_deg))**2)
  end function first_heat

  elemental real function radians(lat_deg)
    real(coordinate_kind), intent(in) :: lat_deg

    radians = real(lat_deg)*pi/180
  end function radians

  !> Split names at their commas.
  pure function cover_names(text) result(covers)
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
  end function cover_names

  !> Row of a cover in the host's table, or 0.
  pure integer function cover_row(name)
    character(*), intent(in) :: name
    integer :: i

    cover_row = 0
    do i = 1, size(table)
      if (table(i)%name == name) cover_row = i
    end do
  end function cover_row

  !> A cover of the table; the host's own where the table has none of that name.
  elemental function cover_of(name) result(cover)
    character(*), intent(in) :: name
    type(cover_t) :: cover

    cover = own_cover
    if (cover_row(name) > 0) cover = table(cover_row(name))
  end function cover_of
end module example_energy
