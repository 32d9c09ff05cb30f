! page: begin
!> The land of ecLand by landstep.
module ecland_land
  use landstep, only: land_t
  use mpl_data_module, only: mpl_comm
  use mpl_module, only: mpl_abort, mpl_myrank
  use parkind1, only: jprb, jprd
  use susdp_deriv_ctl_mod, only: susdp_deriv_ctl
  use susdp_dflt_ctl_mod, only: susdp_dflt_ctl
  use yomcc1s, only: vcalb, vclaih, vclail
  use yomct01s, only: nstart
  use yomcst, only: rpi
  use yomdim1s, only: nproma
  use yomdphy, only: nblocks, ncss, npoi, npoip, ysurf
  use yomgc1s, only: gelam, gelat
  use yomgf1s, only: fcrf, fcsf, flsrf, flssf, tnlev1
  use yomgpd1s, only: gpd_sdp2, gpd_sdp3, vfclake, vfclakef, vfcur, vfcvh, vfcvl, vfsoty, vftvh, vftvl
  implicit none
  private
  public :: ecland_land_init, ecland_land_update, ecland_land_put, ecland_land_write_restart, ecland_land_end

  type(land_t) :: land
  logical, allocatable :: served(:, :) !! false in the padding of the last block, where nothing is set
  integer :: stat
  character(512) :: errmsg

contains

  !> After SUINIF1S.
  subroutine ecland_land_init(dlon, dlat)
    real(jprd), intent(in) :: dlon, dlat !! size of a cell of the regular grid, degrees
    real(jprd), dimension(nproma, nblocks) :: lon, lat
    real(jprd), dimension(2, nproma, nblocks) :: lon_bounds, lat_bounds
    integer :: index(nproma, nblocks), i
    logical :: restarted

    index = reshape([(i - 1, i=1, nproma*nblocks)], [nproma, nblocks])
    served = index < npoi
    index = merge(index + sum(npoip(:mpl_myrank() - 1)), -1, served)
    lon = 0
    lat = 0
    where (served)
      lon = gelam*180/real(rpi, jprd)
      lat = gelat*180/real(rpi, jprd)
    end where
    lon_bounds(1, :, :) = lon - dlon/2
    lon_bounds(2, :, :) = lon + dlon/2
    lat_bounds(1, :, :) = lat - dlat/2
    lat_bounds(2, :, :) = lat + dlat/2
    inquire (file="landstep_restartin.nc", exist=restarted)
    if (restarted .or. nstart > 0) then
      call land%init("experiment.toml", lon, lat, lon_bounds, lat_bounds, index=index, mask=served, comm=mpl_comm, &
        restart="landstep_restartin.nc", start="restart", stat=stat, errmsg=errmsg)
    else
      call land%init("experiment.toml", lon, lat, lon_bounds, lat_bounds, index=index, mask=served, comm=mpl_comm, &
        stat=stat, errmsg=errmsg)
    end if
    if (stat == 0) call land%baseline("cvl", vfcvl, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("cvh", vfcvh, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("tvl", vftvl, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("tvh", vftvh, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("cu", vfcur, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline("cl", vfclake, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline_monthly("lai_lv", vclail, stat=stat, errmsg=errmsg)   ! flat: (NPOI, 12)
    if (stat == 0) call land%baseline_monthly("lai_hv", vclaih, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%baseline_monthly("albedo", vcalb, stat=stat, errmsg=errmsg)
    if (stat /= 0) call mpl_abort(trim(errmsg))
  end subroutine ecland_land_init

  !> Where a day begins, before UPDTIM1S, which then goes between the months by its own rule.
  subroutine ecland_land_update(date)
    integer, intent(in) :: date !! YYYYMMDD, of DATTIM
    logical :: changed

    call land%update(date/10000, mod(date/100, 100), mod(date, 100), changed, stat=stat, errmsg=errmsg)
    if (stat /= 0) call mpl_abort(trim(errmsg))
    if (.not. land%is_changed("cvl")) return            ! no year began
    call land%get("cvl", vfcvl, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("cvh", vfcvh, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("tvl", vftvl, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("tvh", vftvh, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("cu", vfcur, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get("cl", vfclake, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get_monthly("lai_lv", vclail, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get_monthly("lai_hv", vclaih, stat=stat, errmsg=errmsg)
    if (stat == 0) call land%get_monthly("albedo", vcalb, stat=stat, errmsg=errmsg)
    if (stat /= 0) call mpl_abort(trim(errmsg))
    vfclakef = vfclake                                  ! this one the physics read
    call derive_vegetation()
  end subroutine ecland_land_update

  !> What SUINIF1S derives from the types, once: effective cover, roughness, roots, stomata.
  subroutine derive_vegetation()
    integer :: block, n

    do block = 1, nblocks
      n = min(nproma, npoi - (block - 1)*nproma)
      if (n < 1) exit
      call susdp_dflt_ctl(1, n, vftvl(1:n, block), vftvh(1:n, block), vfsoty(1:n, block), ncss, &
        gpd_sdp2(1:n, :, block), gpd_sdp3(1:n, :, :, block), ysurf%yveg, ysurf%ysoil, ysurf%yags)
    end do
    ! with LESSDP_CALIB: open surf_param.nc and call RDSSDP here, as SUINIF1S does
    do block = 1, nblocks
      n = min(nproma, npoi - (block - 1)*nproma)
      if (n < 1) exit
      call susdp_deriv_ctl(1, n, vfsoty(1:n, block), ncss, gpd_sdp2(1:n, :, block), gpd_sdp3(1:n, :, :, block), &
        ysurf%yveg, ysurf%ysoil, ysurf%yags, ysurf%ycst)
    end do
  end subroutine derive_vegetation

  !> Every step, after STEPO1S. Only where climate zones are to follow the model's climate.
  subroutine ecland_land_put()
    real(jprb) :: rain(nproma, nblocks)

    rain = 0
    where (served) rain = flsrf + fcrf + flssf + fcsf
    call land%put("air_temperature", tnlev1, stat=stat, errmsg=errmsg)                           ! K
    if (stat == 0) call land%put("precipitation_flux", rain, stat=stat, errmsg=errmsg)           ! kg m-2 s-1
    if (stat /= 0) call mpl_abort(trim(errmsg))
  end subroutine ecland_land_put

  !> Where the model writes its own.
  subroutine ecland_land_write_restart()
    call land%write_restart("landstep_restartout.nc", stat=stat, errmsg=errmsg)
    if (stat /= 0) call mpl_abort(trim(errmsg))
  end subroutine ecland_land_write_restart

  !> After the time loop.
  subroutine ecland_land_end()
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call mpl_abort(trim(errmsg))
  end subroutine ecland_land_end
end module ecland_land
! page: end

!> ecLand as the driver sees it.
module host_under_test
  use ecland_land, only: ecland_land_end, ecland_land_init, ecland_land_put, ecland_land_update, &
    ecland_land_write_restart
  use ecland_standin, only: blocked_index, date, dattim, dtforc, spacing_deg, stepo1s, suinif1s, updtim1s, wrtres
  use host_kit, only: days_gregorian, record_t, run_t
  use parkind1, only: jprd
  use yomcc1s, only: vcalb, vclaih, vclail
  use yomct01s, only: nstart
  use yomdphy, only: ncss, npoi
  use yomdyn1s, only: nstep
  use yomgpd1s, only: gpd_sdp2, gpd_sdp3, vfalbf, vfclake, vfclakef, vfcur, vfcvh, vfcvl, vflaih, vflail, vftvh, vftvl
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run
    real(jprd), parameter :: dlon = spacing_deg, dlat = spacing_deg

    call suinif1s(run)
    if (run%coupled) then
      ! page: begin
      ! cnt41s.F90, before the time loop
      call ecland_land_init(dlon, dlat)
      ! page: end
    end if
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day
    integer :: zyyyymmdd, zhhmm
    real(jprd) :: zjul

    date = 10000*year + 100*month + day
    if (run%coupled) then
      ! page: begin
      ! cnt41s.F90, in the time loop
      call dattim(zjul, zyyyymmdd, zhhmm)
      if (zhhmm == 0 .or. nstep == nstart) call ecland_land_update(zyyyymmdd)
      call updtim1s()
      call dtforc()
      call stepo1s()
      call ecland_land_put()
      ! page: end
    else
      call updtim1s()
      call dtforc()
    end if
  end subroutine host_day

  !> ecLand has 29 February in every year that 4 divides; here no such year is a century's.
  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = days_gregorian(year, month)
  end function host_days

  subroutine host_record(record)
    type(record_t), intent(in) :: record
    integer, allocatable :: index(:, :)
    integer :: level

    index = blocked_index()
    call record%add("vfcvl", vfcvl, index)
    call record%add("vfcvh", vfcvh, index)
    call record%add("vftvl", vftvl, index)
    call record%add("vftvh", vftvh, index)
    call record%add("vfcur", vfcur, index)
    call record%add("vfclake", vfclake, index)
    call record%add("vfclakef", vfclakef, index)
    call record%add("vflail", vflail, index)
    call record%add("vflaih", vflaih, index)
    call record%add("vfalbf", vfalbf, index)
    call record%add("rvcovh2d", gpd_sdp2(:, 1, :), index)
    call record%add("rvcovl2d", gpd_sdp2(:, 2, :), index)
    call record%add("rvgmesl2d", gpd_sdp2(:, 3, :), index)
    do level = 1, ncss
      call record%add("rwsatm3d", gpd_sdp3(:, level, 1, :), index)
    end do
    call record%add("vclail", vclail(:, record%month), pack(index, index >= 0))
    call record%add("vclaih", vclaih(:, record%month), pack(index, index >= 0))
    call record%add("vcalb", vcalb(:, record%month), pack(index, index >= 0))
    if (size(vclail, 1) /= npoi) error stop
  end subroutine host_record

  !> As in a run script, landstep's restart is renamed for the next run.
  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run
    integer :: failed

    if (run%coupled) then
      ! page: begin
      ! stepo1s.F90
      call wrtres()
      call ecland_land_write_restart()
      ! page: end
      failed = 0
      if (run%rank == 0) call execute_command_line("cp landstep_restartout.nc landstep_restartin.nc", cmdstat=failed)
      if (failed /= 0) error stop "no cp"
    else
      call wrtres()
    end if
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      ! cnt41s.F90, after the time loop
      call ecland_land_end()
      ! page: end
    end if
  end subroutine host_end
end module host_under_test
