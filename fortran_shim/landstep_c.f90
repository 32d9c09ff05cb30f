!> The C functions of landstep.h as Fortran sees them. Nothing else in landstep is bind(c).
module landstep_c
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_float, c_int, c_long_long, c_ptr
  implicit none
  private
  public :: c_abi, c_open, c_update, c_get, c_get_float, c_write_restart, c_close, c_last_error
  public :: landstep_abi

  integer(c_int), parameter :: landstep_abi = 1_c_int !! LANDSTEP_ABI of the landstep.h this was written for

  interface
    function c_abi() bind(c, name="landstep_abi") result(version)
      import :: c_int
      integer(c_int) :: version
    end function c_abi

    function c_open(experiment, n_points, lon, lat, lon_bounds, lat_bounds, year, restart, handle) &
      bind(c, name="landstep_open") result(status)
      import :: c_char, c_double, c_int, c_long_long, c_ptr
      character(kind=c_char), intent(in) :: experiment(*)
      integer(c_long_long), value :: n_points
      real(c_double), intent(in) :: lon(*), lat(*)
      type(c_ptr), value :: lon_bounds, lat_bounds, year, restart !! null where absent
      integer(c_int), intent(inout) :: handle
      integer(c_int) :: status
    end function c_open

    function c_update(handle, year, month, day, changed) bind(c, name="landstep_update") result(status)
      import :: c_int
      integer(c_int), value :: handle, year, month, day
      integer(c_int), intent(inout) :: changed
      integer(c_int) :: status
    end function c_update

    function c_get(handle, name, values, n_values) bind(c, name="landstep_get") result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get

    function c_get_float(handle, name, values, n_values) bind(c, name="landstep_get_float") result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      real(c_float), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_float

    function c_write_restart(handle, path) bind(c, name="landstep_write_restart") result(status)
      import :: c_char, c_int
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: status
    end function c_write_restart

    function c_close(handle) bind(c, name="landstep_close") result(status)
      import :: c_int
      integer(c_int), value :: handle
      integer(c_int) :: status
    end function c_close

    function c_last_error(text, text_size) bind(c, name="landstep_last_error") result(length)
      import :: c_char, c_int
      character(kind=c_char), intent(inout) :: text(*)
      integer(c_int), value :: text_size
      integer(c_int) :: length
    end function c_last_error
  end interface
end module landstep_c
