!> This year's land use in a host model: open an experiment on the host's points, bring it to the
!> host's date, get fields. As in ALLOCATE: with stat a failure is returned, without it the
!> program stops with the text. A call that fails changes nothing, and the host can go on.
module landstep
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_float, c_int, c_loc, c_long_long, &
    c_null_char, c_null_ptr, c_ptr
  use landstep_c, only: c_abi, c_close, c_get, c_get_float, c_last_error, c_open, c_update, &
    c_write_restart, landstep_abi
  implicit none
  private
  public :: land_t

  integer, parameter :: out_of_order = 5 !! LANDSTEP_STEP_ERROR
  integer, parameter :: wrong_call = 8   !! LANDSTEP_COUPLING_ERROR
  integer, parameter :: wrong_build = 9  !! LANDSTEP_DEPENDENCY_ERROR
  integer, parameter :: message_length = 4096

  !> One experiment on the points of one host. A host may have several.
  type :: land_t
    private
    integer(c_int) :: handle = 0_c_int
  contains
    generic :: init => init_real64, init_real32, init_real64_2d, init_real32_2d
    procedure, private :: init_real64, init_real32, init_real64_2d, init_real32_2d
    procedure :: update => land_update
    generic :: get => get_real64, get_real32, get_real64_2d, get_real32_2d
    procedure, private :: get_real64, get_real32, get_real64_2d, get_real32_2d
    procedure :: write_restart => land_write_restart
    procedure :: finalize => land_finalize
    procedure :: is_open => land_is_open
  end type land_t

contains

  !> Open an experiment on a list of points.
  subroutine init_real64(self, experiment, lon, lat, lon_bounds, lat_bounds, year, restart, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment                   !! path of the experiment file
    real(c_double), intent(in), contiguous :: lon(:), lat(:) !! degrees; lon -180..180 or 0..360
    real(c_double), intent(in), contiguous, optional :: lon_bounds(:, :) !! (2, n): west, east edge
    real(c_double), intent(in), contiguous, optional :: lat_bounds(:, :) !! (2, n): south, north edge
    integer, intent(in), optional :: year                    !! the experiment's map to start from
    character(*), intent(in), optional :: restart            !! or a restart file
    integer, intent(out), optional :: stat                   !! 0, or why not; absent: error stop
    character(*), intent(inout), optional :: errmsg          !! text when stat is not 0
    logical :: fit

    fit = size(lat) == size(lon)
    if (present(lon_bounds)) fit = fit .and. all(shape(lon_bounds) == [2, size(lon)])
    if (present(lat_bounds)) fit = fit .and. all(shape(lat_bounds) == [2, size(lon)])
    call open_points(self, experiment, fit, size(lon), lon, lat, lon_bounds, lat_bounds, year, restart, &
      stat, errmsg)
  end subroutine init_real64

  !> The same for points in two dimensions: fields then come in the same two.
  subroutine init_real64_2d(self, experiment, lon, lat, lon_bounds, lat_bounds, year, restart, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    real(c_double), intent(in), contiguous :: lon(:, :), lat(:, :)
    real(c_double), intent(in), contiguous, optional :: lon_bounds(:, :, :), lat_bounds(:, :, :) !! (2, nx, ny)
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    logical :: fit

    fit = all(shape(lat) == shape(lon))
    if (present(lon_bounds)) fit = fit .and. all(shape(lon_bounds) == [2, shape(lon)])
    if (present(lat_bounds)) fit = fit .and. all(shape(lat_bounds) == [2, shape(lon)])
    call open_points(self, experiment, fit, size(lon), lon, lat, lon_bounds, lat_bounds, year, restart, &
      stat, errmsg)
  end subroutine init_real64_2d

  !> The same for single-precision points.
  subroutine init_real32(self, experiment, lon, lat, lon_bounds, lat_bounds, year, restart, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    real(c_float), intent(in), contiguous :: lon(:), lat(:)
    real(c_float), intent(in), contiguous, optional :: lon_bounds(:, :), lat_bounds(:, :)
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    real(c_double), allocatable :: lon_64(:), lat_64(:)
    real(c_double), allocatable :: lon_edges(:, :), lat_edges(:, :) ! not allocated: an absent argument

    allocate (lon_64(size(lon)), lat_64(size(lat)))
    lon_64(:) = lon
    lat_64(:) = lat
    if (present(lon_bounds)) then
      allocate (lon_edges(size(lon_bounds, 1), size(lon_bounds, 2)))
      lon_edges(:, :) = lon_bounds
    end if
    if (present(lat_bounds)) then
      allocate (lat_edges(size(lat_bounds, 1), size(lat_bounds, 2)))
      lat_edges(:, :) = lat_bounds
    end if
    call self%init_real64(experiment, lon_64, lat_64, lon_edges, lat_edges, year, restart, stat, errmsg)
  end subroutine init_real32

  !> The same for single-precision points in two dimensions.
  subroutine init_real32_2d(self, experiment, lon, lat, lon_bounds, lat_bounds, year, restart, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    real(c_float), intent(in), contiguous :: lon(:, :), lat(:, :)
    real(c_float), intent(in), contiguous, optional :: lon_bounds(:, :, :), lat_bounds(:, :, :)
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    real(c_double), allocatable :: lon_64(:, :), lat_64(:, :)
    real(c_double), allocatable :: lon_edges(:, :, :), lat_edges(:, :, :)

    allocate (lon_64(size(lon, 1), size(lon, 2)), lat_64(size(lat, 1), size(lat, 2)))
    lon_64(:, :) = lon
    lat_64(:, :) = lat
    if (present(lon_bounds)) then
      allocate (lon_edges(size(lon_bounds, 1), size(lon_bounds, 2), size(lon_bounds, 3)))
      lon_edges(:, :, :) = lon_bounds
    end if
    if (present(lat_bounds)) then
      allocate (lat_edges(size(lat_bounds, 1), size(lat_bounds, 2), size(lat_bounds, 3)))
      lat_edges(:, :, :) = lat_bounds
    end if
    call self%init_real64_2d(experiment, lon_64, lat_64, lon_edges, lat_edges, year, restart, stat, errmsg)
  end subroutine init_real32_2d

  !> Open an experiment on n points, whatever shape the host keeps them in.
  subroutine open_points(self, experiment, fit, n, lon, lat, lon_bounds, lat_bounds, year, restart, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    logical, intent(in) :: fit !! the arrays have the shapes that they must have
    integer, intent(in) :: n
    real(c_double), intent(in) :: lon(n), lat(n)
    real(c_double), intent(in), optional, target :: lon_bounds(2, n), lat_bounds(2, n)
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char, len=:), allocatable, target :: restart_path
    integer(c_int), target :: start_year
    type(c_ptr) :: lon_edges, lat_edges, start_from, restart_from

    if (self%handle /= 0_c_int) then
      call refuse(out_of_order, "init: already open; call finalize first", stat, errmsg)
    else if (c_abi() /= landstep_abi) then
      call refuse(wrong_build, "init: this module and liblandstep are of different versions: build the " &
        //"module from the sources that were installed with the library", stat, errmsg)
    else if (.not. fit) then
      call refuse(wrong_call, "init: lon and lat differ in shape, or lon_bounds or lat_bounds is not " &
        //"(2, as many points)", stat, errmsg)
    else
      lon_edges = c_null_ptr
      lat_edges = c_null_ptr
      start_from = c_null_ptr
      restart_from = c_null_ptr
      if (present(lon_bounds)) lon_edges = c_loc(lon_bounds)
      if (present(lat_bounds)) lat_edges = c_loc(lat_bounds)
      if (present(year)) then
        start_year = int(year, c_int)
        start_from = c_loc(start_year)
      end if
      if (present(restart)) then
        restart_path = c_text(restart)
        restart_from = c_loc(restart_path)
      end if
      call report("init", c_open(c_text(experiment), int(n, c_long_long), lon, lat, lon_edges, lat_edges, &
        start_from, restart_from, self%handle), stat, errmsg)
    end if
  end subroutine open_points

  !> Bring the land surface to a date. Does nothing when the date lies in the year already reached.
  subroutine land_update(self, year, month, day, changed, stat, errmsg)
    class(land_t), intent(inout) :: self
    integer, intent(in) :: year                     !! calendar year, e.g. 1851
    integer, intent(in) :: month, day               !! 1..12, 1..31
    logical, intent(out) :: changed                 !! fields moved: derive again what depends on them
    integer, intent(out), optional :: stat          !! 0, or why not; absent: error stop on failure
    character(*), intent(inout), optional :: errmsg !! text when stat is not 0
    integer(c_int) :: moved

    changed = .false.
    moved = 0_c_int
    if (closed(self, "update", stat, errmsg)) return
    call report("update", c_update(self%handle, int(year, c_int), int(month, c_int), int(day, c_int), &
      moved), stat, errmsg)
    changed = moved /= 0_c_int
  end subroutine land_update

  !> Copy a field to the host's points; values stay as they are on failure.
  subroutine get_real64(self, name, values, stat, errmsg)
    class(land_t), intent(in) :: self
    character(*), intent(in) :: name                    !! e.g. "area_fraction_forest"
    real(c_double), intent(inout), contiguous :: values(:) !! one for each point
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get(self%handle, c_text(name), values, size(values, kind=c_long_long)), &
      stat, errmsg)
  end subroutine get_real64

  !> The same in single precision.
  subroutine get_real32(self, name, values, stat, errmsg)
    class(land_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get_float(self%handle, c_text(name), values, size(values, kind=c_long_long)), &
      stat, errmsg)
  end subroutine get_real32

  !> The same for points in two dimensions.
  subroutine get_real64_2d(self, name, values, stat, errmsg)
    class(land_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get(self%handle, c_text(name), values, size(values, kind=c_long_long)), &
      stat, errmsg)
  end subroutine get_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine get_real32_2d(self, name, values, stat, errmsg)
    class(land_t), intent(in) :: self
    character(*), intent(in) :: name
    real(c_float), intent(inout), contiguous :: values(:, :)
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "get", stat, errmsg)) return
    call report("get", c_get_float(self%handle, c_text(name), values, size(values, kind=c_long_long)), &
      stat, errmsg)
  end subroutine get_real32_2d

  !> Write a restart file; the old one stays until the new one is complete.
  subroutine land_write_restart(self, path, stat, errmsg)
    class(land_t), intent(in) :: self
    character(*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "write_restart", stat, errmsg)) return
    call report("write_restart", c_write_restart(self%handle, c_text(path)), stat, errmsg)
  end subroutine land_write_restart

  !> Give the experiment back. The object can be opened again.
  subroutine land_finalize(self, stat, errmsg)
    class(land_t), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int) :: status

    if (closed(self, "finalize", stat, errmsg)) return
    status = c_close(self%handle)
    self%handle = 0_c_int
    call report("finalize", status, stat, errmsg)
  end subroutine land_finalize

  !> Whether init has succeeded and finalize has not been called.
  pure logical function land_is_open(self)
    class(land_t), intent(in) :: self

    land_is_open = self%handle /= 0_c_int
  end function land_is_open

  !> True, with the failure reported, where there is nothing to call.
  logical function closed(self, call_name, stat, errmsg)
    class(land_t), intent(in) :: self
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
    character(:), allocatable :: message
    integer :: i, room, length

    if (present(stat)) stat = 0
    if (status == 0_c_int) return
    room = message_length - 1
    if (present(errmsg)) room = min(room, max(len(errmsg) - len(call_name) - 2, 0))
    length = int(c_last_error(text, int(room + 1, c_int)))
    message = call_name//": "
    do i = 1, min(length, room)
      if (text(i) == c_null_char) exit
      message = message//text(i)
    end do
    call refuse(int(status), message, stat, errmsg)
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
  pure function c_text(text) result(ended)
    character(*), intent(in) :: text
    character(kind=c_char, len=:), allocatable :: ended

    ended = trim(text)//c_null_char
  end function c_text
end module landstep
