! page: begin
!> Cover fractions of the year from landstep.
module mo_jsbach_landstep
  use landstep, only: land_t
  use mo_cbal_landcover_change, only: landcover_change
  use mo_exception, only: finish
  use mo_jsbach_grid, only: domain_type, grid_type
  use mo_kind, only: dp
  use mo_land_surface, only: fract_small, land_surface_type
  use mo_mpi, only: p_all_comm
  use mo_time_control, only: lresume
  implicit none
  private
  public :: landstep_cover, landstep_write_restart, landstep_end

  type(land_t) :: land
  character(*), parameter :: restart_file = "landstep_restart.nc"
  integer, parameter :: tiles = 11
  logical, allocatable :: served(:)        !! neither ice nor lake
  integer :: stat
  character(512) :: errmsg

contains

  !> In stepon_jsbach, in place of read_landcover_fractions: fractions to be reached when the year ends.
  subroutine landstep_cover(year, month, day, grid, domain, surface)
    integer, intent(in) :: year, month, day
    type(grid_type), intent(in) :: grid
    type(domain_type), intent(in) :: domain
    type(land_surface_type), intent(in) :: surface
    real(dp) :: fraction(domain%nland)
    logical :: changed
    integer :: tile

    if (.not. land%is_open()) call start(grid, domain, surface)
    call land%update(year, month, day, changed, stat=stat, errmsg=errmsg)
    if (stat /= 0) call finish("landstep_cover", trim(errmsg))
    if (.not. changed) return
    do tile = 1, tiles
      call land%get(tile_name(tile), fraction, stat=stat, errmsg=errmsg)
      if (stat /= 0) call finish("landstep_cover", trim(errmsg))
      where (served) landcover_change%LCC_coverFract_target(:, tile) = fraction
    end do
    call keep_tiles_present(landcover_change%LCC_coverFract_target)
  end subroutine landstep_cover

  subroutine start(grid, domain, surface)
    type(grid_type), intent(in) :: grid
    type(domain_type), intent(in) :: domain
    type(land_surface_type), intent(in) :: surface
    real(dp), dimension(2, domain%nland) :: lon_bounds, lat_bounds
    integer :: index(domain%nland), i, column, row, tile

    do i = 1, domain%nland
      column = minloc(abs(grid%lon - domain%lon(i)), dim=1)
      row = minloc(abs(grid%lat - domain%lat(i)), dim=1)
      index(i) = column - 1 + grid%nlon*(row - 1)
      lon_bounds(:, i) = grid%lon(column) + 360.0_dp/grid%nlon*[-0.5_dp, 0.5_dp]
      lat_bounds(1, i) = edge(grid%lat, row, row + 1)
      lat_bounds(2, i) = edge(grid%lat, row, row - 1)
    end do
    served = .not. any(surface%is_glacier .or. surface%is_lake, dim=2)
    if (lresume) then                      ! baselines are in the restart file: cover_fract has moved since
      call land%init("experiment.toml", domain%lon, domain%lat, lon_bounds, lat_bounds, index=index, mask=served, &
        comm=p_all_comm, restart=restart_file, stat=stat, errmsg=errmsg)
      if (stat /= 0) call finish("landstep_cover", trim(errmsg))
      return
    end if
    call land%init("experiment.toml", domain%lon, domain%lat, lon_bounds, lat_bounds, index=index, mask=served, &
      comm=p_all_comm, stat=stat, errmsg=errmsg)
    do tile = 1, tiles
      if (stat == 0) call land%baseline(tile_name(tile), surface%cover_fract(:, tile), stat=stat, errmsg=errmsg)
    end do
    if (stat == 0) call land%baseline("veg_ratio_max", surface%veg_ratio_max, stat=stat, errmsg=errmsg)
    if (stat /= 0) call finish("landstep_cover", trim(errmsg))
  end subroutine start

  !> Half-way to the neighbouring row of a regular or Gaussian grid, or the pole.
  pure real(dp) function edge(lat, row, neighbour)
    real(dp), intent(in) :: lat(:)
    integer, intent(in) :: row, neighbour

    if (neighbour < 1 .or. neighbour > size(lat)) then
      edge = sign(90.0_dp, lat(row))
    else
      edge = (lat(row) + lat(neighbour))/2
    end if
  end function edge

  !> No tile of a vegetated cell is smaller than fract_small: the largest one gives.
  subroutine keep_tiles_present(fraction)
    real(dp), intent(inout) :: fraction(:, :)
    integer :: i, largest
    real(dp) :: lack

    do i = 1, size(fraction, 1)
      if (.not. served(i) .or. all(fraction(i, :) >= fract_small)) cycle
      lack = sum(max(fract_small - fraction(i, :), 0.0_dp))
      fraction(i, :) = max(fraction(i, :), fract_small)
      largest = maxloc(fraction(i, :), dim=1)
      fraction(i, largest) = fraction(i, largest) - lack
    end do
  end subroutine keep_tiles_present

  pure function tile_name(tile)
    integer, intent(in) :: tile
    character(14) :: tile_name

    write (tile_name, "(a, i0)") "cover_fract_", tile
  end function tile_name

  !> Where JSBACH writes its restart (l_putrerun), on all ranks.
  subroutine landstep_write_restart()
    call land%write_restart(restart_file, stat=stat, errmsg=errmsg)
    if (stat /= 0) call finish("landstep_write_restart", trim(errmsg))
  end subroutine landstep_write_restart

  subroutine landstep_end()
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call finish("landstep_end", trim(errmsg))
  end subroutine landstep_end
end module mo_jsbach_landstep
! page: end

!> JSBACH as the driver sees it: rows from north to south, dealt out to the ranks in turn.
module host_under_test
  use host_kit, only: days_gregorian, made_up, record_t, run_t
  use mo_cbal_landcover_change, only: do_landcover_change, landcover_change
  use mo_jsbach_grid, only: domain_type, grid_type
  use mo_jsbach_landstep, only: landstep_cover, landstep_end, landstep_write_restart
  use mo_kind, only: dp
  use mo_land_surface, only: fract_small, land_surface_type
  use mo_mpi, only: p_all_comm
  use mo_time_control, only: lresume
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

  integer, parameter :: nlon = 24, nlat = 12, ntiles = 11
  type :: the_land_t
    type(grid_type) :: grid
    type(domain_type) :: domain
    type(land_surface_type) :: surface
  end type the_land_t
  type(the_land_t) :: theLand
  integer, allocatable :: place(:) !! of a land point in the whole grid

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run
    integer :: i, j, tile

    p_all_comm = run%comm
    lresume = run%restarted
    theLand%grid%nlon = nlon
    theLand%grid%nlat = nlat
    allocate (theLand%grid%lon(nlon), theLand%grid%lat(nlat))
    theLand%grid%lon = [(360.0_dp/nlon*(i - 1), i=1, nlon)]
    theLand%grid%lat = [(90 - 180.0_dp/nlat*(j - 0.5_dp), j=1, nlat)]
    place = [integer ::]
    do j = 1 + run%rank, nlat, run%n_ranks
      do i = 1, nlon
        if (made_up(theLand%grid%lon(i), theLand%grid%lat(j), 1) < 0.7_dp) place = [place, i - 1 + nlon*(j - 1)]
      end do
    end do
    associate (domain => theLand%domain, surface => theLand%surface)
      domain%nland = size(place)
      allocate (domain%lon(domain%nland), domain%lat(domain%nland), surface%cover_fract(domain%nland, ntiles), &
        surface%veg_ratio_max(domain%nland), surface%is_glacier(domain%nland, ntiles), &
        surface%is_lake(domain%nland, ntiles), landcover_change%LCC_coverFract_target(domain%nland, ntiles))
      domain%lon = theLand%grid%lon(1 + mod(place, nlon))
      domain%lat = theLand%grid%lat(1 + place/nlon)
      surface%ntiles = ntiles
      surface%is_lake = .false.
      surface%is_glacier = .false.
      surface%is_glacier(:, 1) = made_up(domain%lon, domain%lat, 2) < 0.1_dp
      do tile = 1, ntiles
        surface%cover_fract(:, tile) = max(made_up(domain%lon, domain%lat, 10 + tile) - 0.2_dp, fract_small)
      end do
      do i = 1, domain%nland
        surface%cover_fract(i, :) = surface%cover_fract(i, :)/sum(surface%cover_fract(i, :))
        if (surface%is_glacier(i, 1)) surface%cover_fract(i, :) = [1.0_dp, (0.0_dp, tile=2, ntiles)]
      end do
      surface%cover_fract = merge(max(surface%cover_fract, fract_small), surface%cover_fract, .not. spread( &
        surface%is_glacier(:, 1), 2, ntiles))
      surface%veg_ratio_max = merge(0.0_dp, 0.3_dp + 0.7_dp*made_up(domain%lon, domain%lat, 3), surface%is_glacier(:, 1))
      landcover_change%LCC_coverFract_target = surface%cover_fract
    end associate
    if (run%restarted) call read_restart()
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day
    integer :: before, of_year, m

    if (run%coupled) then
      associate (current_year => year, current_month => month, current_day => day)
        ! page: begin
        call landstep_cover(current_year, current_month, current_day, theLand%Grid, theLand%Domain, theLand%Surface)
        ! page: end
      end associate
    end if
    before = sum([(days_gregorian(year, m), m=1, month - 1)])
    of_year = sum([(days_gregorian(year, m), m=1, 12)])
    call do_landcover_change(before + day, of_year, theLand%Surface%cover_fract)
  end subroutine host_day

  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = days_gregorian(year, month)
  end function host_days

  subroutine host_record(record)
    type(record_t), intent(in) :: record
    integer :: tile

    do tile = 1, ntiles
      call record%add("cover_fract", theLand%Surface%cover_fract(:, tile), ntiles*place + tile)
      call record%add("LCC_coverFract_target", landcover_change%LCC_coverFract_target(:, tile), ntiles*place + tile)
    end do
  end subroutine host_record

  !> JSBACH's own restart holds cover_fract and LCC_coverFract_target: here a file for each rank.
  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run
    character(32) :: name
    integer :: unit, i

    write (name, "(a, i0)") "jsbach_restart.", run%rank
    open (newunit=unit, file=name, form="unformatted", access="stream", status="replace", action="write")
    do i = 1, size(place)
      write (unit) place(i), theLand%Surface%cover_fract(i, :), landcover_change%LCC_coverFract_target(i, :)
    end do
    close (unit)
    if (run%coupled) then
      ! page: begin
      call landstep_write_restart()
      ! page: end
    end if
  end subroutine host_write_restart

  !> Each rank looks for its points in the files of all.
  subroutine read_restart()
    character(32) :: name
    integer :: unit, at, found, rank, stat
    real(dp) :: cover(ntiles), target(ntiles)
    logical :: there

    do rank = 0, 1
      write (name, "(a, i0)") "jsbach_restart.", rank
      inquire (file=name, exist=there)
      if (.not. there) cycle
      open (newunit=unit, file=name, form="unformatted", access="stream", status="old", action="read")
      do
        read (unit, iostat=stat) at, cover, target
        if (stat /= 0) exit
        found = findloc(place, at, dim=1)
        if (found == 0) cycle
        theLand%Surface%cover_fract(found, :) = cover
        landcover_change%LCC_coverFract_target(found, :) = target
      end do
      close (unit)
    end do
  end subroutine read_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) call landstep_end()
  end subroutine host_end
end module host_under_test
