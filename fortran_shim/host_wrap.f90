!> The example host for f90wrap: no optional arguments, every failure as a status and a text.
module host_wrap
  use, intrinsic :: iso_fortran_env, only: real64
  use example_host, only: host_close, host_open, host_run_year, host_t
  implicit none
  private
  public :: wrapped_host, wrapped_open, wrapped_run_year, wrapped_update, wrapped_get, wrapped_results
  public :: wrapped_write_restart, wrapped_close

  integer, parameter :: message_length = 1024

  !> One example host, as an object of Python.
  type :: wrapped_host
    integer :: year = 0    !! last year run
    integer :: updates = 0 !! how often fields moved
    type(host_t) :: host
  end type wrapped_host

contains

  !> Open on points; without by_area the bounds are not used; with a restart file the year is not.
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

    message = ""
    if (by_area .and. restart /= "") then
      call host_open(self%host, experiment, covers, lon, lat, lon_bounds, lat_bounds, &
        restart=restart, stat=stat, errmsg=message)
    else if (by_area) then
      call host_open(self%host, experiment, covers, lon, lat, lon_bounds, lat_bounds, &
        year=year, stat=stat, errmsg=message)
    else if (restart /= "") then
      call host_open(self%host, experiment, covers, lon, lat, restart=restart, stat=stat, errmsg=message)
    else
      call host_open(self%host, experiment, covers, lon, lat, year=year, stat=stat, errmsg=message)
    end if
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

  !> What the host made of the fields in its last year: K and W m-2.
  subroutine wrapped_results(self, temperature, latent_heat, stat, message)
    type(wrapped_host), intent(in) :: self
    real(real64), intent(inout) :: temperature(:), latent_heat(:)
    integer, intent(out) :: stat
    character(message_length), intent(out) :: message

    stat = 1
    message = "the host has not run, or its points are not as many as the arrays hold"
    if (.not. allocated(self%host%temperature)) return
    if (size(temperature) /= size(self%host%temperature)) return
    if (size(latent_heat) /= size(self%host%latent_heat)) return
    stat = 0
    message = ""
    temperature = real(self%host%temperature, real64)
    latent_heat = real(self%host%latent_heat, real64)
  end subroutine wrapped_results

  !> Write a restart file.
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
end module host_wrap
