!> This year's land use in a host model: open an experiment on the host's points, bring it to the
!> host's date, get fields. As in ALLOCATE: with stat a failure is returned, without it the
!> program stops with the text. A call that fails changes nothing, and the host can go on.
module landstep
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_float, c_int, c_loc, c_null_ptr, c_ptr
  use landstep_c, only: c_abi, c_close, c_open, c_update, c_write_restart, landstep_abi, landstep_serial
  use landstep_call, only: c_text, closed, out_of_order, refuse, report, wrong_build, wrong_call
  use landstep_inputs, only: inputs_t
  use landstep_points, only: as_c, keep_index, keep_mask, keep_real32, keep_real64, points_t
  implicit none
  private
  public :: land_t

  !> One experiment on the points of one host. A host may have several.
  type, extends(inputs_t) :: land_t
  contains
    generic :: init => init_real64, init_real32, init_real64_2d, init_real32_2d
    procedure, private :: init_real64, init_real32, init_real64_2d, init_real32_2d
    procedure :: update
    procedure :: write_restart
    procedure :: finalize
  end type land_t

contains

  !> Open an experiment on a list of points. Areas are taken over the vertices, else over the bounds,
  !> else from the nearest cell.
  subroutine init_real64(self, experiment, lon, lat, lon_bounds, lat_bounds, vertex_lon, vertex_lat, area, index, &
    mask, comm, year, restart, start, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment !! path of the experiment file
    real(c_double), intent(in), contiguous :: lon(:), lat(:) !! degrees; lon -180..180 or 0..360
    real(c_double), intent(in), contiguous, optional :: lon_bounds(:, :) !! (2, n): west, east edge
    real(c_double), intent(in), contiguous, optional :: lat_bounds(:, :) !! (2, n): south, north edge
    real(c_double), intent(in), contiguous, optional :: vertex_lon(:, :), vertex_lat(:, :) !! (k, n): corners in order
    real(c_double), intent(in), contiguous, optional :: area(:) !! m2, the host's own
    integer, intent(in), contiguous, optional :: index(:) !! unique over all ranks
    logical, intent(in), contiguous, optional :: mask(:) !! true: a point that is served
    integer, intent(in), optional :: comm !! MPI communicator; absent: serial
    integer, intent(in), optional :: year !! the experiment's map to start from
    character(*), intent(in), optional :: restart !! or a restart file
    character(*), intent(in), optional :: start !! initial (as if absent), restart or branch
    integer, intent(out), optional :: stat !! 0, or why not; absent: error stop
    character(*), intent(inout), optional :: errmsg !! text when stat is not 0
    type(points_t) :: points

    call keep_real64(points%misfit, "lon", shape(lon), shape(lon), lon, points%lon)
    call keep_real64(points%misfit, "lat", shape(lon), shape(lat), lat, points%lat)
    if (present(lon_bounds)) call keep_real64(points%misfit, "lon_bounds", [2, shape(lon)], shape(lon_bounds), lon_bounds, &
      points%lon_bounds)
    if (present(lat_bounds)) call keep_real64(points%misfit, "lat_bounds", [2, shape(lon)], shape(lat_bounds), lat_bounds, &
      points%lat_bounds)
    if (present(vertex_lon)) points%n_vertices = size(vertex_lon, 1)
    if (present(vertex_lon)) call keep_real64(points%misfit, "vertex_lon", [points%n_vertices, shape(lon)], &
      shape(vertex_lon), vertex_lon, points%vertex_lon)
    if (present(vertex_lat)) call keep_real64(points%misfit, "vertex_lat", [points%n_vertices, shape(lon)], &
      shape(vertex_lat), vertex_lat, points%vertex_lat)
    if (present(area)) call keep_real64(points%misfit, "area", shape(lon), shape(area), area, points%area)
    if (present(index)) call keep_index(points%misfit, shape(lon), shape(index), index, points%index)
    if (present(mask)) call keep_mask(points%misfit, shape(lon), shape(mask), mask, points%mask)
    call open_points(self, experiment, points, comm, year, restart, start, stat, errmsg)
  end subroutine init_real64

  !> The same for single-precision points.
  subroutine init_real32(self, experiment, lon, lat, lon_bounds, lat_bounds, vertex_lon, vertex_lat, area, index, &
    mask, comm, year, restart, start, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    real(c_float), intent(in), contiguous :: lon(:), lat(:)
    real(c_float), intent(in), contiguous, optional :: lon_bounds(:, :)
    real(c_float), intent(in), contiguous, optional :: lat_bounds(:, :)
    real(c_float), intent(in), contiguous, optional :: vertex_lon(:, :), vertex_lat(:, :)
    real(c_float), intent(in), contiguous, optional :: area(:)
    integer, intent(in), contiguous, optional :: index(:)
    logical, intent(in), contiguous, optional :: mask(:)
    integer, intent(in), optional :: comm
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    character(*), intent(in), optional :: start
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(points_t) :: points

    call keep_real32(points%misfit, "lon", shape(lon), shape(lon), lon, points%lon)
    call keep_real32(points%misfit, "lat", shape(lon), shape(lat), lat, points%lat)
    if (present(lon_bounds)) call keep_real32(points%misfit, "lon_bounds", [2, shape(lon)], shape(lon_bounds), lon_bounds, &
      points%lon_bounds)
    if (present(lat_bounds)) call keep_real32(points%misfit, "lat_bounds", [2, shape(lon)], shape(lat_bounds), lat_bounds, &
      points%lat_bounds)
    if (present(vertex_lon)) points%n_vertices = size(vertex_lon, 1)
    if (present(vertex_lon)) call keep_real32(points%misfit, "vertex_lon", [points%n_vertices, shape(lon)], &
      shape(vertex_lon), vertex_lon, points%vertex_lon)
    if (present(vertex_lat)) call keep_real32(points%misfit, "vertex_lat", [points%n_vertices, shape(lon)], &
      shape(vertex_lat), vertex_lat, points%vertex_lat)
    if (present(area)) call keep_real32(points%misfit, "area", shape(lon), shape(area), area, points%area)
    if (present(index)) call keep_index(points%misfit, shape(lon), shape(index), index, points%index)
    if (present(mask)) call keep_mask(points%misfit, shape(lon), shape(mask), mask, points%mask)
    call open_points(self, experiment, points, comm, year, restart, start, stat, errmsg)
  end subroutine init_real32

  !> The same for points in two dimensions: fields then come in the same two.
  subroutine init_real64_2d(self, experiment, lon, lat, lon_bounds, lat_bounds, vertex_lon, vertex_lat, area, index, &
    mask, comm, year, restart, start, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    real(c_double), intent(in), contiguous :: lon(:, :), lat(:, :)
    real(c_double), intent(in), contiguous, optional :: lon_bounds(:, :, :) !! (2, nx, ny)
    real(c_double), intent(in), contiguous, optional :: lat_bounds(:, :, :)
    real(c_double), intent(in), contiguous, optional :: vertex_lon(:, :, :), vertex_lat(:, :, :) !! (k, nx, ny)
    real(c_double), intent(in), contiguous, optional :: area(:, :)
    integer, intent(in), contiguous, optional :: index(:, :)
    logical, intent(in), contiguous, optional :: mask(:, :)
    integer, intent(in), optional :: comm
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    character(*), intent(in), optional :: start
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(points_t) :: points

    call keep_real64(points%misfit, "lon", shape(lon), shape(lon), lon, points%lon)
    call keep_real64(points%misfit, "lat", shape(lon), shape(lat), lat, points%lat)
    if (present(lon_bounds)) call keep_real64(points%misfit, "lon_bounds", [2, shape(lon)], shape(lon_bounds), lon_bounds, &
      points%lon_bounds)
    if (present(lat_bounds)) call keep_real64(points%misfit, "lat_bounds", [2, shape(lon)], shape(lat_bounds), lat_bounds, &
      points%lat_bounds)
    if (present(vertex_lon)) points%n_vertices = size(vertex_lon, 1)
    if (present(vertex_lon)) call keep_real64(points%misfit, "vertex_lon", [points%n_vertices, shape(lon)], &
      shape(vertex_lon), vertex_lon, points%vertex_lon)
    if (present(vertex_lat)) call keep_real64(points%misfit, "vertex_lat", [points%n_vertices, shape(lon)], &
      shape(vertex_lat), vertex_lat, points%vertex_lat)
    if (present(area)) call keep_real64(points%misfit, "area", shape(lon), shape(area), area, points%area)
    if (present(index)) call keep_index(points%misfit, shape(lon), shape(index), index, points%index)
    if (present(mask)) call keep_mask(points%misfit, shape(lon), shape(mask), mask, points%mask)
    call open_points(self, experiment, points, comm, year, restart, start, stat, errmsg)
  end subroutine init_real64_2d

  !> The same for single-precision points in two dimensions.
  subroutine init_real32_2d(self, experiment, lon, lat, lon_bounds, lat_bounds, vertex_lon, vertex_lat, area, index, &
    mask, comm, year, restart, start, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    real(c_float), intent(in), contiguous :: lon(:, :), lat(:, :)
    real(c_float), intent(in), contiguous, optional :: lon_bounds(:, :, :) !! (2, nx, ny)
    real(c_float), intent(in), contiguous, optional :: lat_bounds(:, :, :)
    real(c_float), intent(in), contiguous, optional :: vertex_lon(:, :, :), vertex_lat(:, :, :) !! (k, nx, ny)
    real(c_float), intent(in), contiguous, optional :: area(:, :)
    integer, intent(in), contiguous, optional :: index(:, :)
    logical, intent(in), contiguous, optional :: mask(:, :)
    integer, intent(in), optional :: comm
    integer, intent(in), optional :: year
    character(*), intent(in), optional :: restart
    character(*), intent(in), optional :: start
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    type(points_t) :: points

    call keep_real32(points%misfit, "lon", shape(lon), shape(lon), lon, points%lon)
    call keep_real32(points%misfit, "lat", shape(lon), shape(lat), lat, points%lat)
    if (present(lon_bounds)) call keep_real32(points%misfit, "lon_bounds", [2, shape(lon)], shape(lon_bounds), lon_bounds, &
      points%lon_bounds)
    if (present(lat_bounds)) call keep_real32(points%misfit, "lat_bounds", [2, shape(lon)], shape(lat_bounds), lat_bounds, &
      points%lat_bounds)
    if (present(vertex_lon)) points%n_vertices = size(vertex_lon, 1)
    if (present(vertex_lon)) call keep_real32(points%misfit, "vertex_lon", [points%n_vertices, shape(lon)], &
      shape(vertex_lon), vertex_lon, points%vertex_lon)
    if (present(vertex_lat)) call keep_real32(points%misfit, "vertex_lat", [points%n_vertices, shape(lon)], &
      shape(vertex_lat), vertex_lat, points%vertex_lat)
    if (present(area)) call keep_real32(points%misfit, "area", shape(lon), shape(area), area, points%area)
    if (present(index)) call keep_index(points%misfit, shape(lon), shape(index), index, points%index)
    if (present(mask)) call keep_mask(points%misfit, shape(lon), shape(mask), mask, points%mask)
    call open_points(self, experiment, points, comm, year, restart, start, stat, errmsg)
  end subroutine init_real32_2d

  !> Open an experiment on points, whatever shape the host keeps them in.
  subroutine open_points(self, experiment, points, comm, year, restart, start, stat, errmsg)
    class(land_t), intent(inout) :: self
    character(*), intent(in) :: experiment
    type(points_t), intent(in), target :: points
    integer, intent(in), optional :: comm, year
    character(*), intent(in), optional :: restart, start
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    character(kind=c_char, len=:), allocatable, target :: restart_text, start_text
    integer(c_int), target :: start_year
    integer(c_int) :: communicator
    type(c_ptr) :: year_from, restart_from, start_from
    character(160) :: versions

    if (self%is_open()) then
      call refuse(out_of_order, "init: already open; call finalize first", stat, errmsg)
    else if (c_abi() /= landstep_abi) then
      write (versions, "(2(a, i0), a)") "init: module landstep has interface version ", landstep_abi, &
        ", liblandstep ", c_abi(), ": build the module from the sources installed with the library"
      call refuse(wrong_build, trim(versions), stat, errmsg)
    else if (points%misfit /= "") then
      call refuse(wrong_call, "init: "//trim(points%misfit), stat, errmsg)
    else
      communicator = landstep_serial
      year_from = c_null_ptr
      restart_from = c_null_ptr
      start_from = c_null_ptr
      if (present(comm)) communicator = int(comm, c_int)
      if (present(year)) then
        start_year = int(year, c_int)
        year_from = c_loc(start_year)
      end if
      if (present(restart)) then
        restart_text = c_text(restart)
        restart_from = c_loc(restart_text)
      end if
      if (present(start)) then
        start_text = c_text(start)
        start_from = c_loc(start_text)
      end if
      call report("init", c_open(c_text(experiment), as_c(points), communicator, year_from, restart_from, &
        start_from, self%handle), stat, errmsg)
    end if
  end subroutine open_points

  !> Bring the land surface to a date. Does nothing when the date lies in the period already reached.
  subroutine update(self, year, month, day, changed, stat, errmsg)
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
  end subroutine update

  !> Write a restart file; the old one stays until the new one is complete.
  subroutine write_restart(self, path, stat, errmsg)
    class(land_t), intent(in) :: self
    character(*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg

    if (closed(self, "write_restart", stat, errmsg)) return
    call report("write_restart", c_write_restart(self%handle, c_text(path)), stat, errmsg)
  end subroutine write_restart

  !> Give the experiment back. The object can be opened again.
  subroutine finalize(self, stat, errmsg)
    class(land_t), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(*), intent(inout), optional :: errmsg
    integer(c_int) :: status

    if (closed(self, "finalize", stat, errmsg)) return
    status = c_close(self%handle)
    self%handle = 0_c_int
    call report("finalize", status, stat, errmsg)
  end subroutine finalize
end module landstep
