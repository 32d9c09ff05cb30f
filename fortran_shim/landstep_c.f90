!> The C functions of landstep.h as Fortran sees them. Nothing else in landstep is bind(c).
module landstep_c
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_float, c_int, c_long_long, c_null_ptr, c_ptr
  implicit none
  private
  public :: c_abi, c_open, c_baseline, c_baseline_float, c_put, c_put_float, c_update, c_changed, c_get
  public :: c_get_float, c_get_previous, c_get_previous_float, c_get_monthly, c_get_monthly_float
  public :: c_add_change, c_add_change_float, c_get_change, c_get_change_float, c_get_coverage, c_describe
  public :: c_get_transition, c_get_transition_float, c_get_maximum, c_get_maximum_float
  public :: c_field_count, c_field_name, c_write_restart, c_close, c_last_error
  public :: c_points, landstep_abi, landstep_serial

  integer(c_int), parameter :: landstep_abi = 3_c_int !! LANDSTEP_ABI of the landstep.h this was written for
  integer(c_int), parameter :: landstep_serial = -1_c_int

  !> struct landstep_points; a null pointer is an array that is not given.
  type, bind(c) :: c_points
    integer(c_int) :: abi = landstep_abi
    integer(c_int) :: n_vertices = 0_c_int
    integer(c_long_long) :: n_points = 0_c_long_long
    type(c_ptr) :: lon = c_null_ptr
    type(c_ptr) :: lat = c_null_ptr
    type(c_ptr) :: lon_bounds = c_null_ptr
    type(c_ptr) :: lat_bounds = c_null_ptr
    type(c_ptr) :: vertex_lon = c_null_ptr
    type(c_ptr) :: vertex_lat = c_null_ptr
    type(c_ptr) :: area = c_null_ptr
    type(c_ptr) :: index = c_null_ptr
    type(c_ptr) :: mask = c_null_ptr
  end type c_points

  interface
    function c_abi() bind(c, name="landstep_abi") result(version)
      import :: c_int
      integer(c_int) :: version
    end function c_abi

    function c_open(experiment, points, comm, year, restart, start, handle) bind(c, name="landstep_open") &
      result(status)
      import :: c_char, c_int, c_points, c_ptr
      character(kind=c_char), intent(in) :: experiment(*)
      type(c_points), intent(in) :: points
      integer(c_int), value :: comm
      type(c_ptr), value :: year, restart, start !! null where absent
      integer(c_int), intent(inout) :: handle
      integer(c_int) :: status
    end function c_open

    function c_baseline(handle, name, values, n_values, n_months) bind(c, name="landstep_baseline") &
      result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle, n_months
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(in) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_baseline

    function c_baseline_float(handle, name, values, n_values, n_months) bind(c, name="landstep_baseline_float") &
      result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle, n_months
      character(kind=c_char), intent(in) :: name(*)
      real(c_float), intent(in) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_baseline_float

    function c_put(handle, name, values, n_values, units) bind(c, name="landstep_put") result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*), units(*)
      real(c_double), intent(in) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_put

    function c_put_float(handle, name, values, n_values, units) bind(c, name="landstep_put_float") result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*), units(*)
      real(c_float), intent(in) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_put_float

    function c_update(handle, year, month, day, changed) bind(c, name="landstep_update") result(status)
      import :: c_int
      integer(c_int), value :: handle, year, month, day
      integer(c_int), intent(inout) :: changed
      integer(c_int) :: status
    end function c_update

    function c_changed(handle, name, changed) bind(c, name="landstep_changed") result(status)
      import :: c_char, c_int
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int), intent(inout) :: changed
      integer(c_int) :: status
    end function c_changed

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

    function c_get_previous(handle, name, values, n_values) bind(c, name="landstep_get_previous") result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_previous

    function c_get_previous_float(handle, name, values, n_values) bind(c, name="landstep_get_previous_float") &
      result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      real(c_float), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_previous_float

    function c_get_monthly(handle, name, values, n_values, n_months) &
      bind(c, name="landstep_get_monthly") result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle, n_months
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_monthly

    function c_get_monthly_float(handle, name, values, n_values, n_months) &
      bind(c, name="landstep_get_monthly_float") result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle, n_months
      character(kind=c_char), intent(in) :: name(*)
      real(c_float), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_monthly_float

    function c_add_change(handle, name, values, n_values) bind(c, name="landstep_add_change") &
      result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_add_change

    function c_add_change_float(handle, name, values, n_values) bind(c, name="landstep_add_change_float") &
      result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: name(*)
      real(c_float), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_add_change_float

    function c_get_change(handle, class_name, gain, loss, n_values) bind(c, name="landstep_get_change") &
      result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: class_name(*)
      real(c_double), intent(inout) :: gain(*), loss(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_change

    function c_get_change_float(handle, class_name, gain, loss, n_values) bind(c, name="landstep_get_change_float") &
      result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: class_name(*)
      real(c_float), intent(inout) :: gain(*), loss(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_change_float

    function c_get_coverage(handle, served, without_land, cells_least, cells_mean, cells_most) &
      bind(c, name="landstep_get_coverage") result(status)
      import :: c_double, c_int
      integer(c_int), value :: handle
      integer(c_int), intent(inout) :: served, without_land, cells_least, cells_most
      real(c_double), intent(inout) :: cells_mean
      integer(c_int) :: status
    end function c_get_coverage

    function c_get_transition(handle, from_class, to_class, values, n_values) &
      bind(c, name="landstep_get_transition") result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: from_class(*), to_class(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_transition

    function c_get_transition_float(handle, from_class, to_class, values, n_values) &
      bind(c, name="landstep_get_transition_float") result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle
      character(kind=c_char), intent(in) :: from_class(*), to_class(*)
      real(c_float), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_transition_float

    function c_get_maximum(handle, name, values, n_values, last_year) &
      bind(c, name="landstep_get_maximum") result(status)
      import :: c_char, c_double, c_int, c_long_long
      integer(c_int), value :: handle, last_year
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_maximum

    function c_get_maximum_float(handle, name, values, n_values, last_year) &
      bind(c, name="landstep_get_maximum_float") result(status)
      import :: c_char, c_float, c_int, c_long_long
      integer(c_int), value :: handle, last_year
      character(kind=c_char), intent(in) :: name(*)
      real(c_float), intent(inout) :: values(*)
      integer(c_long_long), value :: n_values
      integer(c_int) :: status
    end function c_get_maximum_float

    function c_describe(handle, name, attribute, text, text_size) bind(c, name="landstep_describe") result(status)
      import :: c_char, c_int
      integer(c_int), value :: handle, text_size
      character(kind=c_char), intent(in) :: name(*), attribute(*)
      character(kind=c_char), intent(inout) :: text(*)
      integer(c_int) :: status
    end function c_describe

    function c_field_count(handle, count) bind(c, name="landstep_field_count") result(status)
      import :: c_int
      integer(c_int), value :: handle
      integer(c_int), intent(inout) :: count
      integer(c_int) :: status
    end function c_field_count

    function c_field_name(handle, position, text, text_size) bind(c, name="landstep_field_name") result(status)
      import :: c_char, c_int
      integer(c_int), value :: handle, position, text_size
      character(kind=c_char), intent(inout) :: text(*)
      integer(c_int) :: status
    end function c_field_name

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
