!> What the example host has at the end of a year, as one table: a row a point, columns side by side.
!> A results file holds it, ranks send it, and a restart is taken from it.
module example_record
  use example_host, only: coordinate_kind, host_derive, host_t
  implicit none
  private
  public :: field_t, record_fields, record_values, record_restore, record_line

  !> A field of the table.
  type :: field_t
    character(20) :: name
    character(12) :: units
    character(5) :: per !! "cover", "tile" (the covers and the host's own), or blank: one value a point
  end type field_t

  type(field_t), parameter :: record_fields(*) = [ &
    field_t("area_fraction", "1", "cover"), &
    field_t("tile_water", "kg m-2", "tile"), &
    field_t("tile_heat", "J m-2", "tile"), &
    field_t("own_fraction", "1", ""), &
    field_t("covered_fraction", "1", ""), &
    field_t("dominant_class", "", ""), &
    field_t("water_before", "kg m-2", ""), &
    field_t("water_after", "kg m-2", ""), &
    field_t("heat_before", "J m-2", ""), &
    field_t("heat_after", "J m-2", ""), &
    field_t("water_error", "1", ""), &
    field_t("heat_error", "1", ""), &
    field_t("albedo", "1", ""), &
    field_t("roughness", "m", ""), &
    field_t("evaporation", "1", ""), &
    field_t("temperature", "K", ""), &
    field_t("latent_heat", "W m-2", "")] !! in the order of the columns

contains

  !> The table of a host: (point, column).
  pure function record_values(host) result(values)
    type(host_t), intent(in) :: host
    real(coordinate_kind), allocatable :: values(:, :)
    integer :: n, covers

    n = size(host%lat)
    covers = size(host%covers)
    associate (tiles => host%tiles)
      values = reshape([real(coordinate_kind) :: &
        tiles%fraction(:, :covers), tiles%water, tiles%heat, tiles%fraction(:, covers + 1), &
        host%covered, host%dominant, tiles%water_before, tiles%water_after, tiles%heat_before, &
        tiles%heat_after, tiles%water_error, tiles%heat_error, host%albedo, host%roughness, &
        host%evaporation, host%temperature, host%latent_heat], &
        [n, 3*covers + 2 + size(record_fields) - 3])
    end associate
  end function record_values

  !> What a year came to, in a line: means over all points.
  function record_line(year, values) result(line)
    integer, intent(in) :: year
    real(coordinate_kind), intent(in) :: values(:, :)
    character(80) :: line
    integer :: last

    last = size(values, 2) ! the last two columns: temperature and latent heat
    write (line, "(i0, a, f8.3, a, f8.3, a)") year, ": surface", &
      sum(values(:, last - 1))/size(values, 1), " K, latent heat", sum(values(:, last))/size(values, 1), " W m-2"
  end function record_line

  !> Take a host's state from a table: the end of that year.
  subroutine record_restore(host, year, values)
    type(host_t), intent(inout) :: host
    integer, intent(in) :: year
    real(coordinate_kind), intent(in) :: values(:, :)
    integer :: covers, last

    covers = size(host%covers)
    last = 0
    host%tiles%fraction(:, :covers) = next(covers)
    host%tiles%water = real(next(covers + 1))
    host%tiles%heat = real(next(covers + 1))
    host%tiles%fraction(:, covers + 1:) = next(1)
    host%covered = column()
    host%dominant = real(column())
    host%tiles%water_before = column()
    host%tiles%water_after = column()
    host%tiles%heat_before = column()
    host%tiles%heat_after = column()
    host%tiles%water_error = column()
    host%tiles%heat_error = column()
    host%year = year
    call host_derive(host)

  contains

    function next(count) result(columns)
      integer, intent(in) :: count
      real(coordinate_kind) :: columns(size(values, 1), count)

      columns = values(:, last + 1:last + count)
      last = last + count
    end function next

    function column() result(values_of_points)
      real(coordinate_kind) :: values_of_points(size(values, 1))
      real(coordinate_kind) :: columns(size(values, 1), 1)

      columns = next(1)
      values_of_points = columns(:, 1)
    end function column
  end subroutine record_restore
end module example_record
