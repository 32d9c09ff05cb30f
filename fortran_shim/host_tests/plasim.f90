! page: begin
!> The land of PlaSim by landstep: file plasim_land.f90, compiled after landmod.f90.
module plasim_land
  use landmod, only: dalbcl, dz0clim
  use landstep, only: land_t
  use pumamod, only: deglat, dforest, dfd, dls, dprc, dprl, dtsa, dwmax, dz0, mypid, myworld, ndatim, nhor, nlat, nlep, &
    nlon, nlpp, npro, nrestart, nud
  implicit none
  private
  public :: plasim_land_start, plasim_land_update, plasim_land_put, plasim_land_write_restart, plasim_land_stop

  character(*), parameter :: land_restart = "landstep_restart.nc"
  type(land_t) :: land
  integer :: stat = 0
  character(512) :: errmsg

contains

  !> After surfini. Every rank gives its own latitudes.
  subroutine plasim_land_start()
    real :: lon(nhor), lat(nhor), lon_bounds(2, nhor), lat_bounds(2, nhor)
    integer :: index(nhor), comm
    logical :: goes_on
    character(len(land_restart)), allocatable :: restart

    call where_the_points_are(lon, lat, lon_bounds, lat_bounds, index)
    comm = -1
    if (npro > 1) comm = myworld
    inquire (file=land_restart, exist=goes_on)
    goes_on = goes_on .and. nrestart > 0
    if (goes_on) restart = land_restart          ! not allocated: as if it were not in the call
    call land%init("experiment.toml", lon, lat, lon_bounds, lat_bounds, index=index, mask=dls > 0.5, comm=comm, &
      restart=restart, stat=stat, errmsg=errmsg)
    if (.not. goes_on) then                      ! else landstep's restart holds them
      if (stat == 0) call land%baseline("dforest", dforest, stat=stat, errmsg=errmsg)
      if (stat == 0) call land%baseline("dwmax", dwmax, stat=stat, errmsg=errmsg)
      if (stat == 0) call land%baseline("dz0clim", dz0clim, stat=stat, errmsg=errmsg)
      if (stat == 0) call land%baseline_monthly("dalbcl", dalbcl(:, 1:12), stat=stat, errmsg=errmsg)
    end if
    if (stat /= 0) call give_up()
  end subroutine plasim_land_start

  !> At the start of the main loop, every time step: the land moves when a year begins.
  subroutine plasim_land_update()
    real :: z0(nhor), december(nhor), january(nhor)
    logical :: changed

    call land%update(ndatim(1), ndatim(2), ndatim(3), changed, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
    if (.not. land%is_changed("dforest")) return
    z0 = dz0clim
    january = dalbcl(:, 1)
    december = dalbcl(:, 12)
    call land%get("dforest", dforest, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("dwmax", dwmax, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("dz0clim", dz0clim, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get_monthly("dalbcl", dalbcl(:, 1:12), stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
    where (dls > 0.5 .and. dz0clim /= z0) dz0 = dz0clim
    where (dalbcl(:, 1) /= january) dalbcl(:, 13) = dalbcl(:, 1)      ! getalb takes months 0 to 13
    where (dalbcl(:, 12) /= december) dalbcl(:, 0) = dalbcl(:, 12)
  end subroutine plasim_land_update

  !> After gridpointd, every time step: only where the land shall answer to PlaSim's climate.
  subroutine plasim_land_put()
    call land%put("air_temperature", dtsa, stat=stat, errmsg=errmsg)                      ! K
    if (stat == 0) call land%put("precipitation_flux", dprl + dprc, "m s-1", stat=stat, errmsg=errmsg)
    if (stat == 0) call land%put("surface_downwelling_shortwave_flux_in_air", dfd(:, nlep), stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine plasim_land_put

  !> Beside PlaSim's own restart.
  subroutine plasim_land_write_restart()
    call land%write_restart(land_restart, stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine plasim_land_write_restart

  !> At the end.
  subroutine plasim_land_stop()
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call give_up()
  end subroutine plasim_land_stop

  !> Centres and edges of a rank's points, degrees. Gaussian weights are the shares of a sphere.
  subroutine where_the_points_are(lon, lat, lon_bounds, lat_bounds, index)
    real, intent(out) :: lon(nhor), lat(nhor), lon_bounds(2, nhor), lat_bounds(2, nhor)
    integer, intent(out) :: index(nhor)
    external :: inigau
    real(kind=8) :: sines(nlat), weights(nlat), edges(0:nlat)
    integer :: i, j, point

    call inigau(nlat, sines, weights)            ! again: gwd of a rank holds its own latitudes alone
    edges(0) = 90
    do j = 1, nlat - 1
      edges(j) = asin(1 - sum(weights(:j)))*180/acos(-1.0_8)
    end do
    edges(nlat) = -90
    do j = 1, nlpp
      do i = 1, nlon
        point = (j - 1)*nlon + i
        index(point) = mypid*nhor + point - 1
        lon(point) = (i - 1)*360.0/nlon
        lat(point) = deglat(j)
        lon_bounds(:, point) = [i - 1.5, i - 0.5]*360.0/nlon
        lat_bounds(:, point) = real([edges(mypid*nlpp + j), edges(mypid*nlpp + j - 1)])
      end do
    end do
  end subroutine where_the_points_are

  !> PlaSim's own end. mpabort has room for 60 characters: the reason goes before it.
  subroutine give_up()
    external :: mpabort

    write (nud, "(a)") trim(errmsg)
    flush (nud)
    call mpabort("landstep: the line above says why")
  end subroutine give_up
end module plasim_land
! page: end

!> PlaSim as the driver sees it.
module host_under_test
  use host_kit, only: days_gregorian, record_t, run_t
  use landmod, only: dalbclim
  ! page: begin
  use plasim_land                   ! plasim.f90: prolog, master and epilog, before use pumamod
  ! page: end
  use pumamod, only: dforest, dwmax, dz0, mypid, ndatim, nhor, nrestart
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run
    external :: mpstart, surfini

    if (run%restarted) nrestart = 1
    call mpstart(run%rank, run%n_ranks, run%comm)
    call surfini()
    if (run%coupled) then
      ! page: begin
      call plasim_land_start()      ! plasim.f90, prolog: after call surfini
      ! page: end
    end if
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day
    external :: gridpointa, gridpointd

    ndatim(1:3) = [year, month, day]
    if (run%coupled) then
      ! page: begin
      call plasim_land_update()     ! plasim.f90, master: first in the main loop
      call gridpointa()
      call gridpointd()
      call plasim_land_put()        ! if the land shall answer to the climate
      ! page: end
    else
      call gridpointa()
      call gridpointd()
    end if
  end subroutine host_day

  !> PlaSim's real calendar, n_days_per_year = 365, has leap years.
  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = days_gregorian(year, month)
  end function host_days

  subroutine host_record(record)
    type(record_t), intent(in) :: record
    integer :: index(nhor), i

    index = mypid*nhor + [(i, i=0, nhor - 1)]
    call record%add("dforest", dforest, index)
    call record%add("dwmax", dwmax, index)
    call record%add("dz0", dz0, index)
    call record%add("dalbclim", dalbclim, index)
  end subroutine host_record

  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run
    external :: surfstop

    call surfstop()
    if (run%coupled) then
      ! page: begin
      call plasim_land_write_restart() ! plasim.f90, epilog: after call surfstop
      ! page: end
    end if
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call plasim_land_stop()          ! and after that
      ! page: end
    end if
  end subroutine host_end
end module host_under_test
