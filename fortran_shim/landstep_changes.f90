!> How an opened experiment's fields and classes changed, and how large fields will be.
module landstep_changes
  use, intrinsic :: iso_c_binding, only: c_double, c_float, c_int, c_long_long
  use landstep_c, only: c_add_change, c_add_change_float, c_get_change, c_get_change_float, c_get_maximum, &
    c_get_maximum_float, c_get_transition, c_get_transition_float
  use landstep_call, only: c_text, closed, refuse, report, wrong_call
  use landstep_fields, only: fields_t
  implicit none
  private
  public :: changes_t

  type, extends(fields_t) :: changes_t
  contains
    generic :: add_change => add_change_real64, add_change_real32, &
      add_change_real64_2d, add_change_real32_2d
    procedure, private :: add_change_real64, add_change_real32
    procedure, private :: add_change_real64_2d, add_change_real32_2d
    generic :: get_change => get_change_real64, get_change_real32, &
      get_change_real64_2d, get_change_real32_2d
    procedure, private :: get_change_real64, get_change_real32
    procedure, private :: get_change_real64_2d, get_change_real32_2d
    generic :: get_transition => get_transition_real64, get_transition_real32, &
      get_transition_real64_2d, get_transition_real32_2d
    procedure, private :: get_transition_real64, get_transition_real32
    procedure, private :: get_transition_real64_2d, get_transition_real32_2d
    generic :: get_maximum => get_maximum_real64, get_maximum_real32, &
      get_maximum_real64_2d, get_maximum_real32_2d
    procedure, private :: get_maximum_real64, get_maximum_real32
    procedure, private :: get_maximum_real64_2d, get_maximum_real32_2d
  end type changes_t

contains

  !> Add to the host's own values what the field changed since the reference year, at the date of the
  !> last update. Where nothing changed the bytes stay as they are, and all do on failure.
  subroutine add_change_real64(self, name, values, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:) !! the host's own, of the date; then with the change
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "add_change", stat, errmsg)) return
    call report("add_change", c_add_change(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine add_change_real64

  !> The same in single precision.
  subroutine add_change_real32(self, name, values, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "add_change", stat, errmsg)) return
    call report("add_change", c_add_change_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine add_change_real32

  !> The same for points in two dimensions.
  subroutine add_change_real64_2d(self, name, values, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "add_change", stat, errmsg)) return
    call report("add_change", c_add_change(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine add_change_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine add_change_real32_2d(self, name, values, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "add_change", stat, errmsg)) return
    call report("add_change", c_add_change_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long)), stat, errmsg)
  end subroutine add_change_real32_2d

  !> Copy what a class gained and lost in the last update, gross: nothing where no year began in it.
  subroutine get_change_real64(self, class_name, gain, loss, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: class_name !! e.g. "forest"
    real(c_double), intent(inout), contiguous :: gain(:), loss(:) !! shares of the known part of its cell
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_change", stat, errmsg)) return
    if (.not. same_shape("get_change", shape(gain), shape(loss), stat, errmsg)) return
    call report("get_change", c_get_change(self%handle, c_text(class_name), gain, loss, &
      size(gain, kind=c_long_long)), stat, errmsg)
  end subroutine get_change_real64

  !> The same in single precision.
  subroutine get_change_real32(self, class_name, gain, loss, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: class_name
    real(c_float), intent(inout), contiguous :: gain(:), loss(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_change", stat, errmsg)) return
    if (.not. same_shape("get_change", shape(gain), shape(loss), stat, errmsg)) return
    call report("get_change", c_get_change_float(self%handle, c_text(class_name), gain, loss, &
      size(gain, kind=c_long_long)), stat, errmsg)
  end subroutine get_change_real32

  !> The same for points in two dimensions.
  subroutine get_change_real64_2d(self, class_name, gain, loss, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: class_name
    real(c_double), intent(inout), contiguous :: gain(:, :), loss(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_change", stat, errmsg)) return
    if (.not. same_shape("get_change", shape(gain), shape(loss), stat, errmsg)) return
    call report("get_change", c_get_change(self%handle, c_text(class_name), gain, loss, &
      size(gain, kind=c_long_long)), stat, errmsg)
  end subroutine get_change_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_change_real32_2d(self, class_name, gain, loss, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: class_name
    real(c_float), intent(inout), contiguous :: gain(:, :), loss(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_change", stat, errmsg)) return
    if (.not. same_shape("get_change", shape(gain), shape(loss), stat, errmsg)) return
    call report("get_change", c_get_change_float(self%handle, c_text(class_name), gain, loss, &
      size(gain, kind=c_long_long)), stat, errmsg)
  end subroutine get_change_real32_2d

  !> Copy what went from class to class in the last update: nothing where no year began in it. Sums over one
  !> of the classes are the loss and gain of get_change, to the last bit in double precision.
  subroutine get_transition_real64(self, from_class, to_class, share, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: from_class, to_class !! e.g. forest, cropland
    real(c_double), intent(inout), contiguous :: share(:) !! of the known part of the host's cell
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_transition", stat, errmsg)) return
    call report("get_transition", c_get_transition(self%handle, c_text(from_class), c_text(to_class), share, &
      size(share, kind=c_long_long)), stat, errmsg)
  end subroutine get_transition_real64

  !> The same in single precision.
  subroutine get_transition_real32(self, from_class, to_class, share, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: from_class, to_class
    real(c_float), intent(inout), contiguous :: share(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_transition", stat, errmsg)) return
    call report("get_transition", c_get_transition_float(self%handle, c_text(from_class), c_text(to_class), share, &
      size(share, kind=c_long_long)), stat, errmsg)
  end subroutine get_transition_real32

  !> The same for points in two dimensions.
  subroutine get_transition_real64_2d(self, from_class, to_class, share, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: from_class, to_class
    real(c_double), intent(inout), contiguous :: share(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_transition", stat, errmsg)) return
    call report("get_transition", c_get_transition(self%handle, c_text(from_class), c_text(to_class), share, &
      size(share, kind=c_long_long)), stat, errmsg)
  end subroutine get_transition_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_transition_real32_2d(self, from_class, to_class, share, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: from_class, to_class
    real(c_float), intent(inout), contiguous :: share(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_transition", stat, errmsg)) return
    call report("get_transition", c_get_transition_float(self%handle, c_text(from_class), c_text(to_class), share, &
      size(share, kind=c_long_long)), stat, errmsg)
  end subroutine get_transition_real32_2d

  !> Copy the largest value of an annual field from the year reached to the last of the run, before the first
  !> update. A call of all ranks; the first one computes those years, without a climate of the host's own.
  subroutine get_maximum_real64(self, name, values, last_year, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:)
    integer, intent(in) :: last_year
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_maximum", stat, errmsg)) return
    call report("get_maximum", c_get_maximum(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), int(last_year, c_int)), stat, errmsg)
  end subroutine get_maximum_real64

  !> The same in single precision.
  subroutine get_maximum_real32(self, name, values, last_year, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:)
    integer, intent(in) :: last_year
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_maximum", stat, errmsg)) return
    call report("get_maximum", c_get_maximum_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), int(last_year, c_int)), stat, errmsg)
  end subroutine get_maximum_real32

  !> The same for points in two dimensions.
  subroutine get_maximum_real64_2d(self, name, values, last_year, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :)
    integer, intent(in) :: last_year
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_maximum", stat, errmsg)) return
    call report("get_maximum", c_get_maximum(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), int(last_year, c_int)), stat, errmsg)
  end subroutine get_maximum_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_maximum_real32_2d(self, name, values, last_year, stat, errmsg)
    class(changes_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :)
    integer, intent(in) :: last_year
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get_maximum", stat, errmsg)) return
    call report("get_maximum", c_get_maximum_float(self%handle, c_text(name), values, &
      size(values, kind=c_long_long), int(last_year, c_int)), stat, errmsg)
  end subroutine get_maximum_real32_2d

  !> Whether two outputs have one shape; the failure is reported.
  logical function same_shape(call_name, one, other, stat, errmsg)
    character(*), intent(in) :: call_name
    integer, intent(in) :: one(:), other(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (present(stat)) stat = 0
    same_shape = all(one == other)
    if (.not. same_shape) call refuse(wrong_call, call_name//": gain and loss differ in shape", stat, errmsg)
  end function same_shape
end module landstep_changes
