!> The example host's files, read and written with netCDF-Fortran: its points, and tables of results.
!> A restart file of the host is a table of results; a run goes on from the last year in it.
module example_files
  use netcdf, only: nf90_char, nf90_clobber, nf90_close, nf90_create, nf90_def_dim, nf90_def_var, &
    nf90_double, nf90_enddef, nf90_get_var, nf90_global, nf90_inq_dimid, nf90_inq_varid, &
    nf90_inquire_dimension, nf90_int, nf90_netcdf4, nf90_noerr, nf90_nowrite, nf90_open, &
    nf90_put_att, nf90_put_var, nf90_strerror, nf90_unlimited
  use example_energy, only: cover_length
  use example_points, only: coordinate_kind, points_t
  use example_record, only: field_t, record_fields
  implicit none
  private
  public :: results_t, read_points, read_restart, results_open, results_write, results_close

  !> A file of results that grows by a record a year.
  type :: results_t
    private
    integer :: file = -1
    integer :: records = 0
  end type results_t

contains

  !> Read the points from a file: lon and lat (point), and, where it has them, lon_bounds and
  !> lat_bounds (point, 2), in degrees, and the host's own fractions, fraction (cover, point).
  subroutine read_points(path, points, stat, errmsg)
    character(*), intent(in) :: path
    type(points_t), intent(out) :: points
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: file, variable, n, covers, i

    stat = nf90_open(path, nf90_nowrite, file)
    if (failed(path, stat, errmsg)) return
    stat = length_of(file, "point", n)
    if (failed(path//": dimension point", stat, errmsg)) return
    allocate (points%lon(n), points%lat(n))
    points%index = [(i, i=0, n - 1)]
    stat = read_variable(file, "lon", points%lon)
    call note(read_variable(file, "lat", points%lat), stat)
    if (failed(path//": lon, lat", stat, errmsg)) return
    if (nf90_inq_varid(file, "lon_bounds", variable) == nf90_noerr) then
      allocate (points%lon_bounds(2, n), points%lat_bounds(2, n))
      stat = nf90_get_var(file, variable, points%lon_bounds)
      if (stat == nf90_noerr) stat = nf90_inq_varid(file, "lat_bounds", variable)
      if (stat == nf90_noerr) stat = nf90_get_var(file, variable, points%lat_bounds)
      if (failed(path//": lon_bounds, lat_bounds", stat, errmsg)) return
    end if
    if (nf90_inq_varid(file, "fraction", variable) == nf90_noerr) then
      stat = length_of(file, "cover", covers)
      if (stat == nf90_noerr) then
        allocate (points%fraction(n, covers))
        stat = nf90_get_var(file, variable, points%fraction)
      end if
      if (failed(path//": fraction", stat, errmsg)) return
    end if
    stat = nf90_close(file)
    if (failed(path, stat, errmsg)) return
  end subroutine read_points

  !> Read the last year of a table: values (point, column) as record_restore takes them.
  subroutine read_restart(path, points, covers, year, values, stat, errmsg)
    character(*), intent(in) :: path
    integer, intent(in) :: points, covers !! how many there must be
    integer, intent(out) :: year
    real(coordinate_kind), intent(out), allocatable :: values(:, :)
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: file, variable, records, found(2), years(1), i, last, width

    year = 0
    stat = nf90_open(path, nf90_nowrite, file)
    if (failed(path, stat, errmsg)) return
    stat = length_of(file, "year", records)
    call note(length_of(file, "point", found(1)), stat)
    call note(length_of(file, "cover", found(2)), stat)
    call note(nf90_inq_varid(file, "year", variable), stat)
    if (stat == nf90_noerr) stat = nf90_get_var(file, variable, years, start=[records])
    if (failed(path//": year, point, cover", stat, errmsg)) return
    year = years(1)
    if (any(found /= [points, covers])) then
      stat = 1
      write (errmsg, "(a, 4(i0, a))") path//": has ", found(1), " points of ", found(2), &
        " covers; the run has ", points, " of ", covers, ": is it another run's file?"
      return
    end if
    allocate (values(points, sum(widths(covers))))
    last = 0
    do i = 1, size(record_fields)
      width = width_of(record_fields(i), covers)
      stat = nf90_inq_varid(file, trim(record_fields(i)%name), variable)
      if (stat == nf90_noerr .and. record_fields(i)%per == "") then
        stat = nf90_get_var(file, variable, values(:, last + 1), start=[1, records])
      else if (stat == nf90_noerr) then
        stat = nf90_get_var(file, variable, values(:, last + 1:last + width), start=[1, 1, records])
      end if
      if (failed(path//": "//trim(record_fields(i)%name), stat, errmsg)) return
      last = last + width
    end do
    stat = nf90_close(file)
    if (failed(path, stat, errmsg)) return
  end subroutine read_restart

  !> Create the file of results.
  subroutine results_open(results, path, points, covers, stat, errmsg)
    type(results_t), intent(inout) :: results
    character(*), intent(in) :: path
    integer, intent(in) :: points                      !! how many
    character(cover_length), intent(in) :: covers(:)
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: time, point, cover, tile, letters, variable, i

    results%records = 0
    stat = nf90_create(path, ior(nf90_clobber, nf90_netcdf4), results%file)
    if (failed(path, stat, errmsg)) return
    call note(nf90_def_dim(results%file, "year", nf90_unlimited, time), stat)
    call note(nf90_def_dim(results%file, "point", points, point), stat)
    call note(nf90_def_dim(results%file, "cover", size(covers), cover), stat)
    call note(nf90_def_dim(results%file, "tile", size(covers) + 1, tile), stat)
    call note(nf90_def_dim(results%file, "letter", cover_length, letters), stat)
    call note(nf90_def_var(results%file, "year", nf90_int, [time], variable), stat)
    call note(nf90_def_var(results%file, "cover", nf90_char, [letters, cover], variable), stat)
    do i = 1, size(record_fields)
      associate (field => record_fields(i))
        select case (field%per)
        case ("cover")
          call note(nf90_def_var(results%file, trim(field%name), nf90_double, [point, cover, time], variable), stat)
        case ("tile")
          call note(nf90_def_var(results%file, trim(field%name), nf90_double, [point, tile, time], variable), stat)
        case default
          call note(nf90_def_var(results%file, trim(field%name), nf90_double, [point, time], variable), stat)
        end select
        if (field%units /= "") call note(nf90_put_att(results%file, variable, "units", trim(field%units)), stat)
      end associate
    end do
    call note(nf90_put_att(results%file, nf90_global, "title", "landstep's example host"), stat)
    call note(nf90_enddef(results%file), stat)
    call note(nf90_inq_varid(results%file, "cover", variable), stat)
    call note(nf90_put_var(results%file, variable, covers), stat)
    if (failed(path, stat, errmsg)) return
  end subroutine results_open

  !> Append what the host has for its year.
  subroutine results_write(results, covers, year, values, stat, errmsg)
    type(results_t), intent(inout) :: results
    integer, intent(in) :: covers, year                 !! how many; which
    real(coordinate_kind), intent(in) :: values(:, :)   !! (point, column) of record_values
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: variable, record, i, last, width

    record = results%records + 1
    stat = nf90_inq_varid(results%file, "year", variable)
    call note(nf90_put_var(results%file, variable, [year], start=[record]), stat)
    last = 0
    do i = 1, size(record_fields)
      width = width_of(record_fields(i), covers)
      call note(nf90_inq_varid(results%file, trim(record_fields(i)%name), variable), stat)
      if (record_fields(i)%per == "") then
        call note(nf90_put_var(results%file, variable, values(:, last + 1), start=[1, record]), stat)
      else
        call note(nf90_put_var(results%file, variable, values(:, last + 1:last + width), start=[1, 1, record]), stat)
      end if
      last = last + width
    end do
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

  !> Columns of each field.
  pure function widths(covers)
    integer, intent(in) :: covers
    integer :: widths(size(record_fields))
    integer :: i

    widths = [(width_of(record_fields(i), covers), i=1, size(record_fields))]
  end function widths

  pure integer function width_of(field, covers)
    type(field_t), intent(in) :: field
    integer, intent(in) :: covers

    width_of = 1
    if (field%per == "cover") width_of = covers
    if (field%per == "tile") width_of = covers + 1
  end function width_of

  integer function length_of(file, name, length) result(stat)
    integer, intent(in) :: file
    character(*), intent(in) :: name
    integer, intent(out) :: length
    integer :: dimension_id

    length = 0
    stat = nf90_inq_dimid(file, name, dimension_id)
    if (stat == nf90_noerr) stat = nf90_inquire_dimension(file, dimension_id, len=length)
  end function length_of

  integer function read_variable(file, name, values) result(stat)
    integer, intent(in) :: file
    character(*), intent(in) :: name
    real(coordinate_kind), intent(inout) :: values(:)
    integer :: variable

    stat = nf90_inq_varid(file, name, variable)
    if (stat == nf90_noerr) stat = nf90_get_var(file, variable, values)
  end function read_variable

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
