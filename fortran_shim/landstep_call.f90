!> What every call of module landstep does: it needs a handle, hands texts to C and back, and returns
!> a failure as a status and a text, or stops the program where the caller takes no status.
module landstep_call
  use, intrinsic :: iso_c_binding, only: c_char, c_int, c_null_char
  use landstep_c, only: c_last_error
  implicit none
  private
  public :: call_t, closed, report, refuse, c_text, f_text
  public :: out_of_order, wrong_call, wrong_build

  integer, parameter :: out_of_order = 5 !! LANDSTEP_STEP_ERROR
  integer, parameter :: wrong_call = 8   !! LANDSTEP_COUPLING_ERROR
  integer, parameter :: wrong_build = 9  !! LANDSTEP_DEPENDENCY_ERROR
  integer, parameter :: message_length = 4096

  !> The handle that C gave; not for hosts.
  type :: call_t
    integer(c_int) :: handle = 0_c_int !! 0: none
  contains
    procedure :: is_open
  end type call_t

contains

  !> Whether init has succeeded and finalize has not been called.
  pure recursive logical function is_open(self)
    class(call_t), intent(in) :: self

    is_open = self%handle /= 0_c_int
  end function is_open

  !> True, with the failure reported, where there is nothing to call.
  logical function closed(self, call_name, stat, errmsg)
    class(call_t), intent(in) :: self
    character(*), intent(in) :: call_name
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (present(stat)) stat = 0
    closed = self%handle == 0_c_int
    if (closed) call refuse(out_of_order, call_name//": called before init or after finalize", stat, errmsg)
  end function closed

  !> Hand the status of a C call to the caller, with its text cut at a whole character.
  subroutine report(call_name, status, stat, errmsg)
    character(*), intent(in) :: call_name
    integer(c_int), intent(in) :: status
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char, len=1) :: text(message_length)
    integer :: room
    integer(c_int) :: length

    if (present(stat)) stat = 0
    if (status == 0_c_int) return
    room = message_length
    if (present(errmsg)) room = min(room, max(len(errmsg) - len(call_name) - 1, 1))
    length = c_last_error(text, int(room, c_int))
    if (length == 0_c_int) text(1) = c_null_char
    call refuse(int(status), call_name//": "//f_text(text), stat, errmsg)
  end subroutine report

  !> End a failed call: return it where stat is present, stop where it is not.
  subroutine refuse(status, message, stat, errmsg)
    integer, intent(in) :: status
    character(*), intent(in) :: message
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (present(errmsg)) errmsg = message
    if (.not. present(stat)) error stop "landstep "//message
    stat = status
  end subroutine refuse

  !> A text as C wants it: without trailing blanks, ended by NUL.
  pure recursive function c_text(text) result(ended)
    character(*), intent(in) :: text
    character(kind=c_char, len=:), allocatable :: ended

    ended = trim(text)//c_null_char
  end function c_text

  !> The letters before the NUL.
  pure recursive function f_text(letters) result(text)
    character(kind=c_char, len=1), intent(in) :: letters(:)
    character(:), allocatable :: text
    integer :: i, length

    length = findloc(letters, c_null_char, dim=1) - 1
    if (length < 0) length = size(letters)
    allocate (character(length) :: text)
    do i = 1, length
      text(i:i) = letters(i)
    end do
  end function f_text
end module landstep_call
