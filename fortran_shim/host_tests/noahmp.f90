! page: begin
!> The land of Noah-MP under HRLDAS by landstep.
module noahmp_land
  use, intrinsic :: iso_fortran_env, only: real64
  use landstep, only: land_t
  use Machine, only: kind_noahmp
  use netcdf, only: nf90_close, nf90_get_var, nf90_inq_dimid, nf90_inq_varid, nf90_inquire_dimension, nf90_noerr, &
    nf90_nowrite, nf90_open
  use NoahmpIOVarType, only: NoahmpIO_type
  implicit none
  private
  public :: noahmp_land_init, noahmp_land_update, noahmp_land_write_restart, noahmp_land_end

  character(*), parameter :: experiment = "experiment.toml"   ! none in the run's folder: as without landstep
  type(land_t) :: land
  logical :: at_start = .true.
  integer :: stat
  character(512) :: errmsg

contains

  !> Open the experiment on the points of this rank; at a cold start, give Noah-MP's own fields.
  subroutine noahmp_land_init(NoahmpIO, comm)
    type(NoahmpIO_type), intent(in) :: NoahmpIO
    integer, intent(in), optional :: comm       ! mpi_comm_world, which is all that HRLDAS knows
    real(real64), allocatable, dimension(:, :) :: lon, lat
    real(real64), allocatable, dimension(:, :, :) :: lon_bounds, lat_bounds, vertex_lon, vertex_lat
    integer, allocatable :: index(:, :)
    integer :: i, j, west, east, south, north, year
    logical :: asked_for

    inquire (file=experiment, exist=asked_for)
    if (.not. asked_for) return
    call read_centres(NoahmpIO%HRLDAS_SETUP_FILE, lon, lat)
    call cells(lon, lat, lon_bounds, lat_bounds, vertex_lon, vertex_lat)
    index = reshape([(i, i=0, size(lon) - 1)], shape(lon))
    west = NoahmpIO%XSTART
    east = NoahmpIO%XEND
    south = NoahmpIO%YSTART
    north = NoahmpIO%YEND
    if (allocated(lon_bounds)) lon_bounds = lon_bounds(:, west:east, south:north)
    if (allocated(lat_bounds)) lat_bounds = lat_bounds(:, west:east, south:north)
    if (allocated(vertex_lon)) vertex_lon = vertex_lon(:, west:east, south:north)
    if (allocated(vertex_lat)) vertex_lat = vertex_lat(:, west:east, south:north)
    read (NoahmpIO%OLDDATE(1:4), *) year
    if (NoahmpIO%restart_flag) then
      call land%init(experiment, lon(west:east, south:north), lat(west:east, south:north), lon_bounds, lat_bounds, &
        vertex_lon, vertex_lat, index=index(west:east, south:north), mask=NoahmpIO%XLAND < 1.5, comm=comm, &
        restart=trim(NoahmpIO%restart_flnm)//".landstep_restart.nc", stat=stat, errmsg=errmsg)
      if (stat /= 0) call give_up()
      return                                    ! the baselines are in that file
    end if
    call land%init(experiment, lon(west:east, south:north), lat(west:east, south:north), lon_bounds, lat_bounds, &
      vertex_lon, vertex_lat, index=index(west:east, south:north), mask=NoahmpIO%XLAND < 1.5, comm=comm, year=year, &
      stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("IVGTYP", real(NoahmpIO%IVGTYP, kind_noahmp), stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("SHDMAX", NoahmpIO%GVFMAX, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("SHDMIN", NoahmpIO%GVFMIN, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine noahmp_land_init

  !> At every step, after the forcing was read and before NoahmpDriverMain.
  subroutine noahmp_land_update(NoahmpIO)
    type(NoahmpIO_type), intent(inout) :: NoahmpIO
    real(kind_noahmp), allocatable, dimension(:, :) :: types, largest, smallest
    integer :: year, month, day
    logical :: changed

    if (.not. land%is_open()) return
    read (NoahmpIO%OLDDATE, "(i4, 1x, i2, 1x, i2)") year, month, day
    stat = 0
    if (at_start .and. NoahmpIO%update_veg .and. .not. NoahmpIO%restart_flag) &
      call land%baseline("VEGFRA", NoahmpIO%VEGFRA, stat=stat, errmsg=errmsg)
    at_start = .false.
    if (stat == 0) call land%update(year, month, day, changed, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
    if (changed) then
      allocate (types, largest, smallest, mold=NoahmpIO%GVFMAX)
      call land%get("IVGTYP", types, stat=stat, errmsg=errmsg)
      if (stat == 0) call land%get("SHDMAX", largest, stat=stat, errmsg=errmsg)
      if (stat == 0) call land%get("SHDMIN", smallest, stat=stat, errmsg=errmsg)
      if (stat /= 0) call give_up()
      where (NoahmpIO%XLAND < 1.5)
        NoahmpIO%IVGTYP = nint(types)
        NoahmpIO%GVFMAX = largest
        NoahmpIO%GVFMIN = smallest
      end where
    end if
    if (NoahmpIO%update_veg) then               ! dveg 1, 6 or 7: VEGFRA was just read from the forcing
      call land%add_change("VEGFRA", NoahmpIO%VEGFRA, stat=stat, errmsg=errmsg)
      if (stat /= 0) call give_up()
    end if
  end subroutine noahmp_land_update

  !> Beside the restart of HRLDAS, by its name.
  subroutine noahmp_land_write_restart(NoahmpIO)
    type(NoahmpIO_type), intent(in) :: NoahmpIO
    character(len(NoahmpIO%outdir) + 64) :: file

    if (.not. land%is_open()) return
    associate (date => NoahmpIO%OLDDATE)
      write (file, "(a, '/RESTART.', 4a, '_DOMAIN', i1)") trim(NoahmpIO%outdir), date(1:4), date(6:7), date(9:10), &
        date(12:13), NoahmpIO%IGRID
    end associate
    call land%write_restart(trim(file)//".landstep_restart.nc", stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine noahmp_land_write_restart

  !> After the time loop.
  subroutine noahmp_land_end()
    if (.not. land%is_open()) return
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine noahmp_land_end

  !> Centres of the whole grid: a rank holds only its own block.
  subroutine read_centres(file, lon, lat)
    character(*), intent(in) :: file
    real(real64), allocatable, intent(out) :: lon(:, :), lat(:, :)
    integer :: ncid, dimid, varid, nx, ny, failures

    failures = merge(0, 1, nf90_open(file, nf90_nowrite, ncid) == nf90_noerr)
    failures = failures + abs(nf90_inq_dimid(ncid, "west_east", dimid))
    failures = failures + abs(nf90_inquire_dimension(ncid, dimid, len=nx))
    failures = failures + abs(nf90_inq_dimid(ncid, "south_north", dimid))
    failures = failures + abs(nf90_inquire_dimension(ncid, dimid, len=ny))
    errmsg = trim(file)//": no grid of west_east and south_north"
    if (failures > 0) call give_up()
    allocate (lon(nx, ny), lat(nx, ny))
    failures = abs(nf90_inq_varid(ncid, "XLONG", varid)) + abs(nf90_get_var(ncid, varid, lon))
    failures = failures + abs(nf90_inq_varid(ncid, "XLAT", varid)) + abs(nf90_get_var(ncid, varid, lat))
    failures = failures + abs(nf90_close(ncid))
    errmsg = trim(file)//": XLONG or XLAT cannot be read"
    if (failures > 0) call give_up()
  end subroutine read_centres

  !> Cells from centres: rectangles where the grid is rows and columns, else four corners each, midway between
  !> the centres around (on the sphere). Neither for a single point, a row or a list.
  subroutine cells(lon, lat, lon_bounds, lat_bounds, vertex_lon, vertex_lat)
    real(real64), intent(in) :: lon(:, :), lat(:, :)
    real(real64), allocatable, intent(out), dimension(:, :, :) :: lon_bounds, lat_bounds, vertex_lon, vertex_lat
    real(real64), parameter :: degrees = 180/acos(-1.0_real64)
    real(real64) :: west_east(0:size(lon, 1)), south_north(0:size(lon, 2))
    real(real64), dimension(0:size(lon, 1), 0:size(lon, 2)) :: x, y, z, corner_lon, corner_lat
    integer :: nx, ny, i

    nx = size(lon, 1)
    ny = size(lon, 2)
    if (min(nx, ny) < 2) return
    if (all(lon == spread(lon(:, 1), 2, ny)) .and. all(lat == spread(lat(1, :), 1, nx))) then
      west_east = edges(lon(:, 1))
      south_north = edges(lat(1, :))
      allocate (lon_bounds(2, nx, ny), lat_bounds(2, nx, ny))
      do i = 1, 2
        lon_bounds(i, :, :) = spread(west_east(i - 1:nx - 2 + i), 2, ny)
        lat_bounds(i, :, :) = spread(south_north(i - 1:ny - 2 + i), 1, nx)
      end do
    else
      x = corners(cos(lat/degrees)*cos(lon/degrees))
      y = corners(cos(lat/degrees)*sin(lon/degrees))
      z = corners(sin(lat/degrees))
      corner_lon = atan2(y, x)*degrees
      corner_lat = atan2(z, hypot(x, y))*degrees
      allocate (vertex_lon(4, nx, ny), vertex_lat(4, nx, ny))
      vertex_lon = around(corner_lon)
      vertex_lat = around(corner_lat)
    end if
  end subroutine cells

  !> Midway between numbers in a row, and as far beyond the outermost.
  pure function edges(centres)
    real(real64), intent(in) :: centres(:)
    real(real64) :: edges(0:size(centres))
    integer :: n

    n = size(centres)
    edges(1:n - 1) = (centres(:n - 1) + centres(2:))/2
    edges(0) = 2*centres(1) - edges(1)
    edges(n) = 2*centres(n) - edges(n - 1)
  end function edges

  !> Sums of the four centres around each corner; beyond the outermost, as far as the last two are apart.
  pure function corners(of_centres)
    real(real64), intent(in) :: of_centres(:, :)
    real(real64) :: corners(0:size(of_centres, 1), 0:size(of_centres, 2))
    real(real64) :: grown(0:size(of_centres, 1) + 1, 0:size(of_centres, 2) + 1)
    integer :: nx, ny

    nx = size(of_centres, 1)
    ny = size(of_centres, 2)
    grown(1:nx, 1:ny) = of_centres
    grown(1:nx, 0) = 2*grown(1:nx, 1) - grown(1:nx, 2)
    grown(1:nx, ny + 1) = 2*grown(1:nx, ny) - grown(1:nx, ny - 1)
    grown(0, :) = 2*grown(1, :) - grown(2, :)
    grown(nx + 1, :) = 2*grown(nx, :) - grown(nx - 1, :)
    corners = grown(:nx, :ny) + grown(:nx, 1:) + grown(1:, :ny) + grown(1:, 1:)
  end function corners

  !> The four corners of each cell, in order.
  pure function around(corner)
    real(real64), intent(in) :: corner(0:, 0:)
    real(real64) :: around(4, ubound(corner, 1), ubound(corner, 2))
    integer :: nx, ny

    nx = ubound(corner, 1)
    ny = ubound(corner, 2)
    around(1, :, :) = corner(0:nx - 1, 0:ny - 1)
    around(2, :, :) = corner(1:nx, 0:ny - 1)
    around(3, :, :) = corner(1:nx, 1:ny)
    around(4, :, :) = corner(0:nx - 1, 1:ny)
  end function around

  subroutine give_up()
    print "(a)", trim(errmsg)
    error stop
  end subroutine give_up
end module noahmp_land
! page: end

!> HRLDAS as the driver sees it.
module host_under_test
  use host_kit, only: days_gregorian, record_t, run_t
  use module_NoahMP_hrldas_driver, only: land_driver_forcing, land_driver_ini, NoahmpIO
  use noahmp_land, only: noahmp_land_end, noahmp_land_init, noahmp_land_update, noahmp_land_write_restart
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run

    call set_date(run%first(1), run%first(2), run%first(3))
    call land_driver_ini(run%rank, run%n_ranks)
    NoahmpIO%restart_flag = run%restarted
    write (NoahmpIO%restart_flnm, "(a, i4.4, 2i2.2, a)") "./RESTART.", run%first(1), run%first(2), run%first(3) - 1, &
      "00_DOMAIN1"
    if (run%coupled) then
      associate (mpi_comm_world => run%comm)
        ! page: begin
        call noahmp_land_init(NoahmpIO, mpi_comm_world)   ! land_driver_ini: last; serial: without mpi_comm_world
        ! page: end
      end associate
    end if
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day

    call set_date(year, month, day)
    call land_driver_forcing(month, day)
    if (run%coupled) then
      ! page: begin
      call noahmp_land_update(NoahmpIO)         ! land_driver_exe: before "IF (ITIME > 0)"
      ! page: end
    end if
  end subroutine host_day

  subroutine set_date(year, month, day)
    integer, intent(in) :: year, month, day

    write (NoahmpIO%OLDDATE, "(i4.4, 2('-', i2.2), '_00:00:00')") year, month, day
  end subroutine set_date

  !> HRLDAS has the Gregorian calendar.
  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = days_gregorian(year, month)
  end function host_days

  subroutine host_record(record)
    type(record_t), intent(in) :: record

    call record%add("IVGTYP", NoahmpIO%IVGTYP, NoahmpIO%number)
    call record%add("VEGFRA", NoahmpIO%VEGFRA, NoahmpIO%number)
    call record%add("GVFMAX", NoahmpIO%GVFMAX, NoahmpIO%number)
    call record%add("GVFMIN", NoahmpIO%GVFMIN, NoahmpIO%number)
  end subroutine host_record

  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call noahmp_land_write_restart(NoahmpIO)  ! lsm_restart: last
      ! page: end
    end if
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call noahmp_land_end()                    ! main_hrldas_driver.F: after the time loop
      ! page: end
    end if
  end subroutine host_end
end module host_under_test
