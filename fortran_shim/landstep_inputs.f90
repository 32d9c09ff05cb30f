!> What a host gives an opened experiment: its own fields once, and its climate as it goes.
module landstep_inputs
  use, intrinsic :: iso_c_binding, only: c_double, c_float, c_int, c_long_long
  use landstep_c, only: c_baseline, c_baseline_float, c_put, c_put_float
  use landstep_call, only: c_text, closed, report
  use landstep_changes, only: changes_t
  implicit none
  private
  public :: inputs_t

  type, extends(changes_t) :: inputs_t
  contains
    generic :: put => put_real64, put_real32, put_real64_2d, put_real32_2d
    procedure, private :: put_real64, put_real32, put_real64_2d, put_real32_2d
    generic :: baseline => baseline_real64, baseline_real32, &
      baseline_real64_2d, baseline_real32_2d
    procedure, private :: baseline_real64, baseline_real32
    procedure, private :: baseline_real64_2d, baseline_real32_2d
    generic :: baseline_monthly => baseline_monthly_real64, baseline_monthly_real32, &
      baseline_monthly_real64_2d, baseline_monthly_real32_2d
    procedure, private :: baseline_monthly_real64, baseline_monthly_real32
    procedure, private :: baseline_monthly_real64_2d, baseline_monthly_real32_2d
  end type inputs_t

contains

  !> Give the host's climate since the date of the last update.
  subroutine put_real64(self, name, values, units, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name !! a CF standard name, e.g. "air_temperature"
    real(c_double), intent(in), contiguous :: values(:) !! one for each point
    character(*), intent(in), optional :: units !! e.g. "K"; absent: the field's own
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "put", stat, errmsg)) return
    call report("put", c_put(self%handle, c_text(name), values, size(values, kind=c_long_long), &
      c_text(given(units))), stat, errmsg)
  end subroutine put_real64

  !> The same in single precision.
  subroutine put_real32(self, name, values, units, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(in), contiguous :: values(:)
    character(*), intent(in), optional :: units
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "put", stat, errmsg)) return
    call report("put", c_put_float(self%handle, c_text(name), values, size(values, kind=c_long_long), &
      c_text(given(units))), stat, errmsg)
  end subroutine put_real32

  !> The same for points in two dimensions.
  subroutine put_real64_2d(self, name, values, units, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(in), contiguous :: values(:, :)
    character(*), intent(in), optional :: units
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "put", stat, errmsg)) return
    call report("put", c_put(self%handle, c_text(name), values, size(values, kind=c_long_long), &
      c_text(given(units))), stat, errmsg)
  end subroutine put_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine put_real32_2d(self, name, values, units, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(in), contiguous :: values(:, :)
    character(*), intent(in), optional :: units
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "put", stat, errmsg)) return
    call report("put", c_put_float(self%handle, c_text(name), values, size(values, kind=c_long_long), &
      c_text(given(units))), stat, errmsg)
  end subroutine put_real32_2d

  !> Give the host's own field, to which landstep adds its change: once, before the first update.
  subroutine baseline_real64(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(in), contiguous :: values(:) !! one for each point
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline", stat, errmsg)) return
    call report("baseline", c_baseline(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), 1_c_int), stat, errmsg)
  end subroutine baseline_real64

  !> The same in single precision.
  subroutine baseline_real32(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(in), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline", stat, errmsg)) return
    call report("baseline", c_baseline_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), 1_c_int), stat, errmsg)
  end subroutine baseline_real32

  !> The same for points in two dimensions.
  subroutine baseline_real64_2d(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(in), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline", stat, errmsg)) return
    call report("baseline", c_baseline(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), 1_c_int), stat, errmsg)
  end subroutine baseline_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine baseline_real32_2d(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(in), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline", stat, errmsg)) return
    call report("baseline", c_baseline_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), 1_c_int), stat, errmsg)
  end subroutine baseline_real32_2d

  !> The same for a field that has a value for each month.
  subroutine baseline_monthly_real64(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(in), contiguous :: values(:, :) !! (n, 12)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline_monthly", stat, errmsg)) return
    call report("baseline_monthly", c_baseline(self%handle, c_text(name), values, &
      size(values, 1, c_long_long), size(values, 2, c_int)), stat, errmsg)
  end subroutine baseline_monthly_real64

  !> The same in single precision.
  subroutine baseline_monthly_real32(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(in), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline_monthly", stat, errmsg)) return
    call report("baseline_monthly", c_baseline_float(self%handle, c_text(name), values, &
      size(values, 1, c_long_long), size(values, 2, c_int)), stat, errmsg)
  end subroutine baseline_monthly_real32

  !> The same for points in two dimensions.
  subroutine baseline_monthly_real64_2d(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(in), contiguous :: values(:, :, :) !! (nx, ny, 12)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline_monthly", stat, errmsg)) return
    call report("baseline_monthly", c_baseline(self%handle, c_text(name), values, &
      size(values, 1, c_long_long)*size(values, 2), size(values, 3, c_int)), stat, errmsg)
  end subroutine baseline_monthly_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine baseline_monthly_real32_2d(self, name, values, stat, errmsg)
    class(inputs_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(in), contiguous :: values(:, :, :) !! (nx, ny, 12)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "baseline_monthly", stat, errmsg)) return
    call report("baseline_monthly", c_baseline_float(self%handle, c_text(name), values, &
      size(values, 1, c_long_long)*size(values, 2), size(values, 3, c_int)), stat, errmsg)
  end subroutine baseline_monthly_real32_2d

  !> A text that may be absent: then empty.
  pure recursive function given(text)
    character(*), intent(in), optional :: text
    character(:), allocatable :: given

    given = ""
    if (present(text)) given = text
  end function given
end module landstep_inputs
