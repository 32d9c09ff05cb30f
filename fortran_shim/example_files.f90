!> The example host's files, read and written with netCDF-Fortran.
module example_files
  use netcdf, only: nf90_char, nf90_clobber, nf90_close, nf90_create, nf90_def_dim, nf90_def_var, &
    nf90_double, nf90_enddef, nf90_get_var, nf90_global, nf90_inq_dimid, nf90_inq_varid, &
    nf90_inquire_dimension, nf90_int, nf90_netcdf4, nf90_noerr, nf90_nowrite, nf90_open, &
    nf90_put_att, nf90_put_var, nf90_strerror, nf90_unlimited
  use example_host, only: coordinate_kind, cover_length, host_t
  implicit none
  private
  public :: points_t, results_t, read_points, results_open, results_write, results_close

  !> Points of the host: variables lon and lat (n), and, where it has them, lon_bounds and
  !> lat_bounds (n, 2), in degrees.
  type :: points_t
    real(coordinate_kind), allocatable :: lon(:), lat(:)
    real(coordinate_kind), allocatable :: lon_bounds(:, :), lat_bounds(:, :) !! (2, n)
  end type points_t

  !> A file of results that grows by a record a year.
  type :: results_t
    private
    integer :: file = -1
    integer :: records = 0
  end type results_t

  character(*), parameter :: own_fields(5) = [character(12) :: &
    "albedo", "roughness", "evaporation", "temperature", "latent_heat"]
  character(*), parameter :: own_units(5) = [character(5) :: "1", "m", "1", "K", "W m-2"]

contains

  !> Read the points from a file.
  subroutine read_points(path, points, stat, errmsg)
    character(*), intent(in) :: path
    type(points_t), intent(out) :: points
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: file, dimension_id, variable, n

    stat = nf90_open(path, nf90_nowrite, file)
    if (failed(path, stat, errmsg)) return
    stat = nf90_inq_dimid(file, "point", dimension_id)
    if (stat == nf90_noerr) stat = nf90_inquire_dimension(file, dimension_id, len=n)
    if (failed(path//": dimension point", stat, errmsg)) return
    allocate (points%lon(n), points%lat(n))
    call read_flat(file, "lon", points%lon, stat)
    if (stat == nf90_noerr) call read_flat(file, "lat", points%lat, stat)
    if (failed(path//": lon, lat", stat, errmsg)) return
    if (nf90_inq_varid(file, "lon_bounds", variable) == nf90_noerr) then
      allocate (points%lon_bounds(2, n), points%lat_bounds(2, n))
      stat = nf90_get_var(file, variable, points%lon_bounds)
      if (stat == nf90_noerr) stat = nf90_inq_varid(file, "lat_bounds", variable)
      if (stat == nf90_noerr) stat = nf90_get_var(file, variable, points%lat_bounds)
      if (failed(path//": lon_bounds, lat_bounds", stat, errmsg)) return
    end if
    stat = nf90_close(file)
    if (failed(path, stat, errmsg)) return
  end subroutine read_points

  !> Create the file of results.
  subroutine results_open(results, path, host, stat, errmsg)
    type(results_t), intent(inout) :: results
    character(*), intent(in) :: path
    type(host_t), intent(in) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: time, point, cover, letters, variable, i, dimensions(3)

    results%records = 0
    stat = nf90_create(path, ior(nf90_clobber, nf90_netcdf4), results%file)
    if (failed(path, stat, errmsg)) return
    call note(nf90_def_dim(results%file, "year", nf90_unlimited, time), stat)
    call note(nf90_def_dim(results%file, "point", size(host%lon), point), stat)
    call note(nf90_def_dim(results%file, "cover", size(host%covers), cover), stat)
    call note(nf90_def_dim(results%file, "letter", cover_length, letters), stat)
    dimensions = [point, cover, time]
    call note(nf90_def_var(results%file, "year", nf90_int, [time], variable), stat)
    call note(nf90_def_var(results%file, "cover", nf90_char, [letters, cover], variable), stat)
    call note(nf90_def_var(results%file, "area_fraction", nf90_double, dimensions, variable), stat)
    call note(nf90_put_att(results%file, variable, "units", "1"), stat)
    call note(nf90_def_var(results%file, "covered_fraction", nf90_double, [point, time], variable), stat)
    call note(nf90_put_att(results%file, variable, "units", "1"), stat)
    call note(nf90_def_var(results%file, "dominant_class", nf90_double, [point, time], variable), stat)
    do i = 1, size(own_fields)
      call note(nf90_def_var(results%file, trim(own_fields(i)), nf90_double, [point, time], variable), stat)
      call note(nf90_put_att(results%file, variable, "units", trim(own_units(i))), stat)
    end do
    call note(nf90_put_att(results%file, nf90_global, "title", "landstep's example host"), stat)
    call note(nf90_enddef(results%file), stat)
    call note(nf90_inq_varid(results%file, "cover", variable), stat)
    call note(nf90_put_var(results%file, variable, host%covers), stat)
    if (failed(path, stat, errmsg)) return
  end subroutine results_open

  !> Append what the host has for its year.
  subroutine results_write(results, host, stat, errmsg)
    type(results_t), intent(inout) :: results
    type(host_t), intent(in) :: host
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: variable, record

    record = results%records + 1
    stat = nf90_inq_varid(results%file, "year", variable)
    call note(nf90_put_var(results%file, variable, [host%year], start=[record]), stat)
    call note(nf90_inq_varid(results%file, "area_fraction", variable), stat)
    call note(nf90_put_var(results%file, variable, host%fractions, start=[1, 1, record]), stat)
    call put_flat(results, record, "covered_fraction", host%covered, stat)
    call put_flat(results, record, "dominant_class", real(host%dominant, coordinate_kind), stat)
    call put_flat(results, record, "albedo", real(host%albedo, coordinate_kind), stat)
    call put_flat(results, record, "roughness", real(host%roughness, coordinate_kind), stat)
    call put_flat(results, record, "evaporation", real(host%evaporation, coordinate_kind), stat)
    call put_flat(results, record, "temperature", real(host%temperature, coordinate_kind), stat)
    call put_flat(results, record, "latent_heat", real(host%latent_heat, coordinate_kind), stat)
    if (failed("results", stat, errmsg)) return
    results%records = record
  end subroutine results_write

  !> Close the file of results.
  subroutine results_close(results, stat, errmsg)
    type(results_t), intent(inout) :: results
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg

    stat = nf90_close(results%file)
    results%file = -1
    if (failed("results", stat, errmsg)) return
  end subroutine results_close

  subroutine read_flat(file, name, values, stat)
    integer, intent(in) :: file
    character(*), intent(in) :: name
    real(coordinate_kind), intent(inout) :: values(:)
    integer, intent(out) :: stat
    integer :: variable

    stat = nf90_inq_varid(file, name, variable)
    if (stat == nf90_noerr) stat = nf90_get_var(file, variable, values)
  end subroutine read_flat

  subroutine put_flat(results, record, name, values, stat)
    type(results_t), intent(in) :: results
    integer, intent(in) :: record
    character(*), intent(in) :: name
    real(coordinate_kind), intent(in) :: values(:)
    integer, intent(inout) :: stat
    integer :: variable

    call note(nf90_inq_varid(results%file, name, variable), stat)
    call note(nf90_put_var(results%file, variable, values, start=[1, record]), stat)
  end subroutine put_flat

  !> Keep the first failure of several calls.
  subroutine note(status, stat)
    integer, intent(in) :: status
    integer, intent(inout) :: stat

    if (stat == nf90_noerr) stat = status
  end subroutine note

  !> True, with the text, where a netCDF call failed.
  logical function failed(what, stat, errmsg)
    character(*), intent(in) :: what
    integer, intent(in) :: stat
    character(*), intent(inout) :: errmsg

    failed = stat /= nf90_noerr
    if (failed) errmsg = what//": "//nf90_strerror(stat)
  end function failed
end module example_files
