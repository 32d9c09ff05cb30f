!> What a host asks an opened experiment for: fields, and what they are.
module landstep_fields
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_float, c_int, c_long_long
  use landstep_c, only: c_changed, c_describe, c_field_count, c_field_name, c_get, c_get_coverage, &
    c_get_float, c_get_monthly, c_get_monthly_float, c_get_previous, c_get_previous_float
  use landstep_call, only: c_text, call_t, closed, f_text, report
  implicit none
  private
  public :: fields_t

  type, extends(call_t) :: fields_t
  contains
    generic :: get => get_real64, get_real32, get_real64_2d, get_real32_2d
    procedure, private :: get_real64, get_real32, get_real64_2d, get_real32_2d
    generic :: get_previous => get_previous_real64, get_previous_real32, &
      get_previous_real64_2d, get_previous_real32_2d
    procedure, private :: get_previous_real64, get_previous_real32
    procedure, private :: get_previous_real64_2d, get_previous_real32_2d
    generic :: get_monthly => get_monthly_real64, get_monthly_real32, &
      get_monthly_real64_2d, get_monthly_real32_2d
    procedure, private :: get_monthly_real64, get_monthly_real32
    procedure, private :: get_monthly_real64_2d, get_monthly_real32_2d
    procedure :: get_coverage
    procedure :: is_changed
    procedure :: describe
    procedure :: field_count
    procedure :: field_name
  end type fields_t

contains

  !> Copy a field to the host's points; values stay as they are on failure.
  subroutine get_real64(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name    !! e.g. "area_fraction_forest"
    real(c_double), intent(inout), contiguous :: values(:) !! one for each point
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_real64

  !> The same in single precision.
  subroutine get_real32(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_real32

  !> The same for points in two dimensions.
  subroutine get_real64_2d(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_real32_2d(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_real32_2d

  !> Copy a field as it was before its last change.
  subroutine get_previous_real64(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_previous", stat, errmsg)) return
    call report("get_previous", c_get_previous(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_previous_real64

  !> The same in single precision.
  subroutine get_previous_real32(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_previous", stat, errmsg)) return
    call report("get_previous", c_get_previous_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_previous_real32

  !> The same for points in two dimensions.
  subroutine get_previous_real64_2d(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_previous", stat, errmsg)) return
    call report("get_previous", c_get_previous(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_previous_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_previous_real32_2d(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_previous", stat, errmsg)) return
    call report("get_previous", c_get_previous_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine get_previous_real32_2d

  !> Copy the twelve months of a monthly field in the year reached; the host keeps its own rule between them.
  subroutine get_monthly_real64(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :) !! (n, 12)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_monthly", stat, errmsg)) return
    call report("get_monthly", c_get_monthly(self%handle, c_text(name), values, &
      size(values, 1, c_long_long), size(values, 2, c_int)), stat, errmsg)
  end subroutine get_monthly_real64

  !> The same in single precision.
  subroutine get_monthly_real32(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_monthly", stat, errmsg)) return
    call report("get_monthly", c_get_monthly_float(self%handle, c_text(name), values, &
      size(values, 1, c_long_long), size(values, 2, c_int)), stat, errmsg)
  end subroutine get_monthly_real32

  !> The same for points in two dimensions.
  subroutine get_monthly_real64_2d(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :, :) !! (nx, ny, 12)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_monthly", stat, errmsg)) return
    call report("get_monthly", c_get_monthly(self%handle, c_text(name), values, &
      size(values, 1, c_long_long)*size(values, 2), size(values, 3, c_int)), stat, errmsg)
  end subroutine get_monthly_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_monthly_real32_2d(self, name, values, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :, :) !! (nx, ny, 12)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_monthly", stat, errmsg)) return
    call report("get_monthly", c_get_monthly_float(self%handle, c_text(name), values, &
      size(values, 1, c_long_long)*size(values, 2), size(values, 3, c_int)), stat, errmsg)
  end subroutine get_monthly_real32_2d

  !> How much of the map the points of all ranks see, as init measured it.
  subroutine get_coverage(self, served, without_land, cells_least, cells_mean, cells_most, stat, errmsg)
    class(fields_t), intent(in) :: self
    integer, intent(inout) :: served                  !! points that the mask does not leave out
    integer, intent(inout) :: without_land            !! of them, points where no land is known
    integer, intent(inout) :: cells_least, cells_most !! cells of the map that a served point has a share of
    real(c_double), intent(inout) :: cells_mean       !! of those that have any
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int) :: found(4), status
    real(c_double) :: mean

    if (closed(self, "get_coverage", stat, errmsg)) return
    found = 0_c_int
    mean = 0.0_c_double
    status = c_get_coverage(self%handle, found(1), found(2), found(3), mean, found(4))
    call report("get_coverage", status, stat, errmsg)
    if (status /= 0_c_int) return
    served = int(found(1))
    without_land = int(found(2))
    cells_least = int(found(3))
    cells_mean = mean
    cells_most = int(found(4))
  end subroutine get_coverage

  !> Whether a field was handed out anew in the last update: it need not differ in any value.
  logical function is_changed(self, name, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int) :: moved

    is_changed = .false.
    moved = 0_c_int
    if (closed(self, "is_changed", stat, errmsg)) return
    call report("is_changed", c_changed(self%handle, c_text(name), moved), stat, errmsg)
    is_changed = moved /= 0_c_int
  end function is_changed

  !> Copy an attribute of a field; text stays as it is on failure, and too short a text is one.
  subroutine describe(self, name, attribute, text, stat, errmsg)
    class(fields_t), intent(in) :: self
    character(*), intent(in) :: name
    character(*), intent(in) :: attribute !! units, denominator, long_name, standard_name or schedule
    character(*), intent(inout) :: text
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char, len=1) :: letters(len(text) + 1)
    integer(c_int) :: status

    if (closed(self, "describe", stat, errmsg)) return
    status = c_describe(self%handle, c_text(name), c_text(attribute), letters, size(letters, kind=c_int))
    call report("describe", status, stat, errmsg)
    if (status == 0_c_int) text = f_text(letters)
  end subroutine describe

  !> How many fields there are.
  subroutine field_count(self, count, stat, errmsg)
    class(fields_t), intent(in) :: self
    integer, intent(inout) :: count
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int) :: found, status

    if (closed(self, "field_count", stat, errmsg)) return
    found = 0_c_int
    status = c_field_count(self%handle, found)
    call report("field_count", status, stat, errmsg)
    if (status == 0_c_int) count = int(found)
  end subroutine field_count

  !> Copy the name of a field.
  subroutine field_name(self, position, text, stat, errmsg)
    class(fields_t), intent(in) :: self
    integer, intent(in) :: position !! 1 .. field_count
    character(*), intent(inout) :: text
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char, len=1) :: letters(len(text) + 1)
    integer(c_int) :: status

    if (closed(self, "field_name", stat, errmsg)) return
    status = c_field_name(self%handle, int(position - 1, c_int), letters, size(letters, kind=c_int))
    call report("field_name", status, stat, errmsg)
    if (status == 0_c_int) text = f_text(letters)
  end subroutine field_name
end module landstep_fields
