!> The example host for f90wrap: no optional arguments, every failure as a status and a text.
module host_wrap
  use, intrinsic :: iso_fortran_env, only: real64
  use example_host, only: host_close, host_open, host_run_day, host_run_year, host_t
  use example_points, only: points_t
  use example_settings, only: settings_t
  use example_tiles, only: tile_total
  implicit none
  private
  public :: wrapped_host, wrapped_settings, wrapped_fraction, wrapped_open, wrapped_run_year, wrapped_run_day
  public :: wrapped_update, wrapped_get, wrapped_get_change, wrapped_results, wrapped_stores, wrapped_budget
  public :: wrapped_write_restart, wrapped_close

  integer, parameter :: message_length = 1024

  !> One example host, as an object of Python.
  type :: wrapped_host
    integer :: year = 0    !! last year run
    integer :: updates = 0 !! how often fields moved
    type(host_t) :: host
    type(settings_t) :: settings
    real(real64), allocatable :: fraction(:, :)
  end type wrapped_host

contains

  !> How the host is to run, before it is opened; without this call: coupled, silent, daily, as warm as ever.
  subroutine wrapped_settings(self, coupled, climate, monthly, warming)
    type(wrapped_host), intent(inout) :: self
    logical, intent(in) :: coupled, climate, monthly
    real(real64), intent(in) :: warming !! K

    self%settings%coupled = coupled
    self%settings%climate = climate
    self%settings%exchange = merge("month", "day  ", monthly)
    self%settings%warming = real(warming)
  end subroutine wrapped_settings

  !> Fractions of the host's own, (point, cover), before it is opened.
  subroutine wrapped_fraction(self, fraction)
    type(wrapped_host), intent(inout) :: self
    real(real64), intent(in) :: fraction(:, :)

    self%fraction = fraction
  end subroutine wrapped_fraction

  !> Open on points; without by_area the bounds are not used; with a restart file the year is not, and
  !> the host's own stores are those of a new run.
  subroutine wrapped_open(self, experiment, covers, lon, lat, by_area, lon_bounds, lat_bounds, year, restart, &
    stat, message)
    type(wrapped_host), intent(inout) :: self
    character(*), intent(in) :: experiment, covers
    real(real64), intent(in), contiguous :: lon(:), lat(:)
    logical, intent(in) :: by_area
    real(real64), intent(in), contiguous :: lon_bounds(:, :), lat_bounds(:, :) !! (2, n)
    integer, intent(in) :: year
    character(*), intent(in) :: restart                            !! blank: none
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message
    type(points_t) :: points
    integer :: i

    message = ""
    self%settings%experiment = experiment
    self%settings%covers = covers
    self%settings%first_year = year
    self%settings%restart_in = restart
    self%settings%host_restart_in = restart ! not read here
    points%lon = lon
    points%lat = lat
    points%index = [(i, i=0, size(lon) - 1)]
    if (by_area) then
      points%lon_bounds = lon_bounds
      points%lat_bounds = lat_bounds
    end if
    if (allocated(self%fraction)) points%fraction = self%fraction
    call host_open(self%host, self%settings, points, stat, message)
  end subroutine wrapped_open

  !> The host's own loop over a year.
  subroutine wrapped_run_year(self, year, stat, message)
    type(wrapped_host), intent(inout) :: self
    integer, intent(in) :: year
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call host_run_year(self%host, year, stat, message)
    self%year = self%host%year
    self%updates = self%host%updates
  end subroutine wrapped_run_year

  !> One day of that loop; days come in their order.
  subroutine wrapped_run_day(self, year, month, day, stat, message)
    type(wrapped_host), intent(inout) :: self
    integer, intent(in) :: year, month, day
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call host_run_day(self%host, year, month, day, stat, message)
    self%year = self%host%year
    self%updates = self%host%updates
  end subroutine wrapped_run_day

  !> Only landstep's part of a time step.
  subroutine wrapped_update(self, year, month, day, changed, stat, message)
    type(wrapped_host), intent(inout) :: self
    integer, intent(in) :: year, month, day
    logical, intent(out) :: changed
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call self%host%land%update(year, month, day, changed, stat, message)
  end subroutine wrapped_update

  !> A field of landstep.
  subroutine wrapped_get(self, name, values, stat, message)
    type(wrapped_host), intent(inout) :: self
    character(*), intent(in) :: name
    real(real64), intent(inout), contiguous :: values(:)
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call self%host%land%get(name, values, stat, message)
  end subroutine wrapped_get

  !> Gross change of a class in landstep's last update.
  subroutine wrapped_get_change(self, name, gain, loss, stat, message)
    type(wrapped_host), intent(inout) :: self
    character(*), intent(in) :: name
    real(real64), intent(inout), contiguous :: gain(:), loss(:) !! shares of the known part of its cell
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call self%host%land%get_change(name, gain, loss, stat, message)
  end subroutine wrapped_get_change

  !> What the host made of the fields in its last year: K and W m-2.
  subroutine wrapped_results(self, temperature, latent_heat, stat, message)
    type(wrapped_host), intent(in) :: self
    real(real64), intent(inout) :: temperature(:), latent_heat(:)
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    call fit(self%host, [size(temperature), size(latent_heat)], stat, message)
    if (stat /= 0) return
    temperature = real(self%host%temperature, real64)
    latent_heat = real(self%host%latent_heat, real64)
  end subroutine wrapped_results

  !> What each point holds now: kg m-2 and J m-2.
  subroutine wrapped_stores(self, water, heat, stat, message)
    type(wrapped_host), intent(in) :: self
    real(real64), intent(inout) :: water(:), heat(:)
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    call fit(self%host, [size(water), size(heat)], stat, message)
    if (stat /= 0) return
    water = tile_total(self%host%tiles%fraction, self%host%tiles%water)
    heat = tile_total(self%host%tiles%fraction, self%host%tiles%heat)
  end subroutine wrapped_stores

  !> Largest gap of each point's budget at any update so far, as a share of what the point held.
  subroutine wrapped_budget(self, water_error, heat_error, stat, message)
    type(wrapped_host), intent(in) :: self
    real(real64), intent(inout) :: water_error(:), heat_error(:)
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    call fit(self%host, [size(water_error), size(heat_error)], stat, message)
    if (stat /= 0) return
    water_error = self%host%tiles%water_error
    heat_error = self%host%tiles%heat_error
  end subroutine wrapped_budget

  !> Write landstep's restart file.
  subroutine wrapped_write_restart(self, path, stat, message)
    type(wrapped_host), intent(inout) :: self
    character(*), intent(in) :: path
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call self%host%land%write_restart(path, stat, message)
  end subroutine wrapped_write_restart

  !> Close the host.
  subroutine wrapped_close(self, stat, message)
    type(wrapped_host), intent(inout) :: self
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    message = ""
    call host_close(self%host, stat, message)
  end subroutine wrapped_close

  !> Whether arrays hold as many points as the host has.
  subroutine fit(host, sizes, stat, message)
    type(host_t), intent(in) :: host
    integer, intent(in) :: sizes(:)
    integer, intent(out) :: stat
    character(*), intent(out) :: message

    stat = 1
    message = "the host is not open, or its points are not as many as the arrays hold"
    if (.not. allocated(host%temperature)) return
    if (any(sizes /= size(host%temperature))) return
    stat = 0
    message = ""
  end subroutine fit
end module host_wrap
