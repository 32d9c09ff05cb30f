!> The points of a host in one form: flat, in double precision, whatever shape and kind they came in.
module landstep_points
  use, intrinsic :: iso_c_binding, only: c_double, c_float, c_int, c_loc, c_long_long
  use landstep_c, only: c_points
  implicit none
  private
  public :: points_t, keep_real64, keep_real32, keep_index, keep_mask, as_c

  integer, parameter :: misfit_length = 160

  type :: points_t
    real(c_double), allocatable :: lon(:), lat(:)
    real(c_double), allocatable :: lon_bounds(:), lat_bounds(:)
    real(c_double), allocatable :: vertex_lon(:), vertex_lat(:)
    real(c_double), allocatable :: area(:)
    integer(c_long_long), allocatable :: index(:)
    integer(c_int), allocatable :: mask(:)
    integer :: n_vertices = 0
    character(misfit_length) :: misfit = "" !! the array whose shape is wrong; blank: none is
  end type points_t

contains

  !> Keep an array, where it has the shape that it must have.
  subroutine keep_real64(misfit, what, expected, found, values, kept)
    character(*), intent(inout) :: misfit
    character(*), intent(in) :: what
    integer, intent(in) :: expected(:), found(:) !! shapes
    real(c_double), intent(in) :: values(*)
    real(c_double), allocatable, intent(inout) :: kept(:)

    if (.not. fits(misfit, what, expected, found)) return
    allocate (kept(product(found)))
    kept(:) = values(:size(kept))
  end subroutine keep_real64

  !> The same from single precision.
  subroutine keep_real32(misfit, what, expected, found, values, kept)
    character(*), intent(inout) :: misfit
    character(*), intent(in) :: what
    integer, intent(in) :: expected(:), found(:)
    real(c_float), intent(in) :: values(*)
    real(c_double), allocatable, intent(inout) :: kept(:)

    if (.not. fits(misfit, what, expected, found)) return
    allocate (kept(product(found)))
    kept(:) = real(values(:size(kept)), c_double)
  end subroutine keep_real32

  !> The same for the numbers of the points.
  subroutine keep_index(misfit, expected, found, values, kept)
    character(*), intent(inout) :: misfit
    integer, intent(in) :: expected(:), found(:)
    integer, intent(in) :: values(*)
    integer(c_long_long), allocatable, intent(inout) :: kept(:)

    if (.not. fits(misfit, "index", expected, found)) return
    allocate (kept(product(found)))
    kept(:) = int(values(:size(kept)), c_long_long)
  end subroutine keep_index

  !> The same for whether each point is served.
  subroutine keep_mask(misfit, expected, found, values, kept)
    character(*), intent(inout) :: misfit
    integer, intent(in) :: expected(:), found(:)
    logical, intent(in) :: values(*)
    integer(c_int), allocatable, intent(inout) :: kept(:)

    if (.not. fits(misfit, "mask", expected, found)) return
    allocate (kept(product(found)))
    kept(:) = merge(1_c_int, 0_c_int, values(:size(kept)))
  end subroutine keep_mask

  !> Whether a shape is the expected one; the first that is not is told.
  logical function fits(misfit, what, expected, found)
    character(*), intent(inout) :: misfit
    character(*), intent(in) :: what
    integer, intent(in) :: expected(:), found(:)

    fits = all(found == expected)
    if (.not. fits .and. misfit == "") misfit = what//" has the shape ("//list(found)//"), expected (" &
      //list(expected)//")"
  end function fits

  !> Numbers with commas between.
  pure recursive function list(numbers) result(text)
    integer, intent(in) :: numbers(:)
    character(:), allocatable :: text
    character(80) :: written

    write (written, "(*(i0, :, ', '))") numbers
    text = trim(written)
  end function list

  !> The points as C takes them; its pointers hold as long as the points do.
  function as_c(points) result(flat)
    type(points_t), intent(in), target :: points
    type(c_points) :: flat

    flat%n_points = size(points%lon, kind=c_long_long)
    flat%n_vertices = int(points%n_vertices, c_int)
    flat%lon = c_loc(points%lon)
    flat%lat = c_loc(points%lat)
    if (allocated(points%lon_bounds)) flat%lon_bounds = c_loc(points%lon_bounds)
    if (allocated(points%lat_bounds)) flat%lat_bounds = c_loc(points%lat_bounds)
    if (allocated(points%vertex_lon)) flat%vertex_lon = c_loc(points%vertex_lon)
    if (allocated(points%vertex_lat)) flat%vertex_lat = c_loc(points%vertex_lat)
    if (allocated(points%area)) flat%area = c_loc(points%area)
    if (allocated(points%index)) flat%index = c_loc(points%index)
    if (allocated(points%mask)) flat%mask = c_loc(points%mask)
  end function as_c
end module landstep_points
