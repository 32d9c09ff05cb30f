! ecLand's names, kinds and shapes, as far as the page's lines need them; all values are made up.
! host-test: flags = -cpp -O2
! host-test: flags = -cpp -O2 -DPARKIND1_SINGLE
! host-test: flags = -cpp -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow
! host-test: ranks = 2
module parkind1
  use, intrinsic :: iso_fortran_env, only: int32, real32, real64
  implicit none
  integer, parameter :: jpim = int32
  integer, parameter :: jprd = real64
#ifdef PARKIND1_SINGLE
  integer, parameter :: jprb = real32
#else
  integer, parameter :: jprb = real64
#endif
end module parkind1

module mpl_data_module
  implicit none
  integer :: mpl_comm = -1, mpl_rank = 1, mpl_numproc = 1
end module mpl_data_module

module mpl_module
  use mpl_data_module, only: mpl_rank
  implicit none
contains
  !> From 1, as in fiat.
  integer function mpl_myrank()
    mpl_myrank = mpl_rank
  end function mpl_myrank

  subroutine mpl_abort(cdmessage)
    character(*), intent(in), optional :: cdmessage

    if (present(cdmessage)) print "(a)", cdmessage
    error stop
  end subroutine mpl_abort
end module mpl_module

module yomcst
  use parkind1, only: jprb
  implicit none
  real(jprb), parameter :: rpi = 2*asin(1.0_jprb)
end module yomcst

module yomct01s
  implicit none
  integer :: nstart = 0
end module yomct01s

module yomdyn1s
  implicit none
  integer :: nstep = 0
end module yomdyn1s

module yomdim1s
  implicit none
  integer, parameter :: nproma = 16
end module yomdim1s

!> Parameters by type, 0 to 20.
module yos_surf
  use parkind1, only: jprb
  implicit none
  type :: tveg
    real(jprb) :: rvcov(0:20) = 0
  end type tveg
  type :: tsoil
    real(jprb) :: rwsat = 0.4
  end type tsoil
  type :: tags
    real(jprb) :: rvgmes(0:20) = 0
  end type tags
  type :: tcst
    real(jprb) :: retv = 0.6
  end type tcst
  type :: tsurf
    type(tveg) :: yveg
    type(tsoil) :: ysoil
    type(tags) :: yags
    type(tcst) :: ycst
  end type tsurf
end module yos_surf

module yomdphy
  use yos_surf, only: tsurf
  implicit none
  integer, parameter :: ncss = 4
  integer :: npoi = 0, nblocks = 0
  integer, allocatable :: npoip(:) !! points of each rank
  type(tsurf), allocatable :: ysurf
end module yomdphy

module yomgc1s
  use parkind1, only: jprb
  implicit none
  real(jprb), allocatable :: gelam(:, :), gelat(:, :) !! radians; not set in the padding
end module yomgc1s

module yomgpd1s
  use parkind1, only: jprb
  implicit none
  real(jprb), allocatable, target :: gpd(:, :, :), gpd_sdp2(:, :, :), gpd_sdp3(:, :, :, :)
  real(jprb), pointer, dimension(:, :) :: vfitm, vfsoty, vfcvl, vfcvh, vftvl, vftvh, vfcur, vfclake, vfclakef
  real(jprb), pointer, dimension(:, :) :: vflail, vflaih, vfalbf
end module yomgpd1s

module yomcc1s
  use parkind1, only: jprb
  implicit none
  real(jprb), allocatable, target :: gpcc(:, :, :)
  real(jprb), pointer, dimension(:, :) :: vcalb, vclail, vclaih !! (npoi, 12), flat
end module yomcc1s

module yomgf1s
  use parkind1, only: jprb
  implicit none
  real(jprb), allocatable, dimension(:, :) :: tnlev1, flsrf, fcrf, flssf, fcsf
end module yomgf1s

module buffer_utils
  use parkind1, only: jprb
  use yomdim1s, only: nproma
  use yomdphy, only: npoi
  implicit none
contains
  subroutine unpack_buffer(arr, recv_buf)
    real(jprb), intent(inout) :: arr(:, :)
    real(jprb), intent(in) :: recv_buf(:)
    integer :: i

    do i = 1, npoi
      arr(1 + mod(i - 1, nproma), 1 + (i - 1)/nproma) = recv_buf(i)
    end do
  end subroutine unpack_buffer

  subroutine pack_buffer(arr, send_buf)
    real(jprb), intent(in) :: arr(:, :)
    real(jprb), intent(inout) :: send_buf(:)
    integer :: i

    do i = 1, npoi
      send_buf(i) = arr(1 + mod(i - 1, nproma), 1 + (i - 1)/nproma)
    end do
  end subroutine pack_buffer
end module buffer_utils

!> What is derived from the types once: a first part by table, a second that may only follow the first.
module susdp_dflt_ctl_mod
  use parkind1, only: jpim, jprb
  use yos_surf, only: tags, tsoil, tveg
  implicit none
contains
  subroutine susdp_dflt_ctl(kidia, kfdia, ptvl, ptvh, pslt, klevs3d, pssdp2, pssdp3, ydveg, ydsoil, ydags)
    integer(jpim), intent(in) :: kidia, kfdia, klevs3d
    real(jprb), intent(in) :: ptvl(:), ptvh(:), pslt(:)
    real(jprb), intent(out) :: pssdp2(:, :), pssdp3(:, :, :)
    type(tveg), intent(in) :: ydveg
    type(tsoil), intent(in) :: ydsoil
    type(tags), intent(in) :: ydags

    pssdp2(:, 1) = ydveg%rvcov(nint(ptvh(kidia:kfdia)))
    pssdp2(:, 2) = ydveg%rvcov(nint(ptvl(kidia:kfdia)))
    pssdp2(:, 3) = ydags%rvgmes(nint(ptvl(kidia:kfdia)))
    pssdp3(:, :klevs3d, 1) = ydsoil%rwsat + spread(pslt(kidia:kfdia)/100, 2, klevs3d)
  end subroutine susdp_dflt_ctl
end module susdp_dflt_ctl_mod

module susdp_deriv_ctl_mod
  use parkind1, only: jpim, jprb
  use yos_surf, only: tags, tcst, tsoil, tveg
  implicit none
contains
  subroutine susdp_deriv_ctl(kidia, kfdia, pslt, klevs3d, pssdp2, pssdp3, ydveg, ydsoil, ydags, ydcst)
    integer(jpim), intent(in) :: kidia, kfdia, klevs3d
    real(jprb), intent(in) :: pslt(:)
    real(jprb), intent(inout) :: pssdp2(:, :), pssdp3(:, :, :)
    type(tveg), intent(in) :: ydveg
    type(tsoil), intent(in) :: ydsoil
    type(tags), intent(in) :: ydags
    type(tcst), intent(in) :: ydcst

    if (any(pslt(kidia:kfdia) < 1) .or. ydsoil%rwsat < 0 .or. ydveg%rvcov(1) < 0 .or. ydags%rvgmes(1) < 0) error stop
    pssdp2(kidia:kfdia, 3) = (1 + ydcst%retv)*pssdp2(kidia:kfdia, 3)
    pssdp3(kidia:kfdia, :klevs3d, 1) = 2*pssdp3(kidia:kfdia, :klevs3d, 1)
  end subroutine susdp_deriv_ctl
end module susdp_deriv_ctl_mod

!> Points, climate fields and parameters, as the model makes them at its start and keeps them.
module ecland_standin
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  use buffer_utils, only: pack_buffer, unpack_buffer
  use host_kit, only: made_up, run_t
  use mpl_data_module, only: mpl_comm, mpl_numproc, mpl_rank
  use parkind1, only: jpim, jprb, jprd
  use susdp_deriv_ctl_mod, only: susdp_deriv_ctl
  use susdp_dflt_ctl_mod, only: susdp_dflt_ctl
  use yomcc1s, only: gpcc, vcalb, vclaih, vclail
  use yomcst, only: rpi
  use yomct01s, only: nstart
  use yomdim1s, only: nproma
  use yomdphy, only: nblocks, ncss, npoi, npoip, ysurf
  use yomgc1s, only: gelam, gelat
  use yomgf1s, only: fcrf, fcsf, flsrf, flssf, tnlev1
  use yomgpd1s, only: gpd, gpd_sdp2, gpd_sdp3, vfalbf, vfclake, vfclakef, vfcur, vfcvh, vfcvl, vfitm, vflaih, vflail, &
    vfsoty, vftvh, vftvl
  implicit none
  private
  public :: suinif1s, dattim, updtim1s, dtforc, stepo1s, wrtres, blocked_index, date, spacing_deg

  integer :: date = 0 !! YYYYMMDD
  integer, parameter :: nlon = 40, nlat = 20, n_kept = 7
  real(jprd), parameter :: spacing_deg = 9

contains

  !> The points of a rank: those in the mask, rank after rank.
  subroutine suinif1s(run)
    type(run_t), intent(in) :: run
    real(jprd) :: lon(nlon*nlat), lat(nlon*nlat)
    logical :: lmask(nlon*nlat)
    integer :: ends(0:run%n_ranks), i, first, last

    mpl_comm = run%comm
    mpl_rank = run%rank + 1
    mpl_numproc = run%n_ranks
    nstart = 0                        ! the model's own run script begins every part at 0
    do i = 1, nlon*nlat
      lon(i) = spacing_deg*(mod(i - 1, nlon) + 0.5_jprd)
      lat(i) = 90 - spacing_deg*((i - 1)/nlon + 0.5_jprd)
    end do
    lmask = made_up(lon, lat, 1) > 0.3
    ends = [(nlon*nlat*i/run%n_ranks, i=0, run%n_ranks)]
    allocate (npoip(run%n_ranks))
    npoip = [(count(lmask(ends(i - 1) + 1:ends(i))), i=1, run%n_ranks)]
    npoi = npoip(mpl_rank)
    nblocks = sum(npoip)/nproma + min(mod(sum(npoip), nproma), 1) ! of all ranks
    first = ends(run%rank) + 1
    last = ends(run%rank + 1)
    call set_fields(pack(lon(first:last), lmask(first:last)), pack(lat(first:last), lmask(first:last)))
    if (run%restarted) call rdres()
    call set_parameters()
  end subroutine suinif1s

  subroutine set_fields(lon, lat)
    real(jprd), intent(in) :: lon(:), lat(:) !! degrees
    real(jprb) :: nan
    integer :: month

    nan = ieee_value(nan, ieee_quiet_nan)
    allocate (gelam(nproma, nblocks), gelat(nproma, nblocks))
    allocate (gpd(nproma, 12, nblocks), gpcc(npoi, 12, 3))
    allocate (tnlev1(nproma, nblocks), flsrf(nproma, nblocks), fcrf(nproma, nblocks), flssf(nproma, nblocks), &
      fcsf(nproma, nblocks))
    gelam = nan
    gelat = nan
    gpd = nan
    tnlev1 = nan
    flsrf = nan
    fcrf = nan
    flssf = nan
    fcsf = nan
    vfitm => gpd(:, 1, :)
    vfsoty => gpd(:, 2, :)
    vfcvl => gpd(:, 3, :)
    vfcvh => gpd(:, 4, :)
    vftvl => gpd(:, 5, :)
    vftvh => gpd(:, 6, :)
    vfcur => gpd(:, 7, :)
    vfclake => gpd(:, 8, :)
    vfclakef => gpd(:, 9, :)
    vflail => gpd(:, 10, :)
    vflaih => gpd(:, 11, :)
    vfalbf => gpd(:, 12, :)
    vcalb => gpcc(:, :, 1)
    vclail => gpcc(:, :, 2)
    vclaih => gpcc(:, :, 3)
    call unpack_buffer(gelam, real(lon, jprb)*rpi/180)
    call unpack_buffer(gelat, real(lat, jprb)*rpi/180)
    call unpack_buffer(vfitm, real(merge(1, 0, made_up(lon, lat, 2) > 0.1), jprb))
    call unpack_buffer(vfsoty, real(1 + int(6*made_up(lon, lat, 3)), jprb))
    call unpack_buffer(vfcvl, real(0.5*made_up(lon, lat, 4), jprb))
    call unpack_buffer(vfcvh, real(0.5*made_up(lon, lat, 5), jprb))
    call unpack_buffer(vftvl, real(1 + int(2*made_up(lon, lat, 6)), jprb))
    call unpack_buffer(vftvh, real(3 + int(4*made_up(lon, lat, 7)), jprb))
    call unpack_buffer(vfcur, real(0.2*made_up(lon, lat, 8), jprb))
    call unpack_buffer(vfclake, real(0.3*made_up(lon, lat, 9), jprb))
    vfclakef = vfclake
    do month = 1, 12
      vcalb(:, month) = real(0.1 + 0.2*made_up(lon, lat, 20 + month), jprb)
      vclail(:, month) = real(4*made_up(lon, lat, 40 + month), jprb)
      vclaih(:, month) = real(6*made_up(lon, lat, 60 + month), jprb)
    end do
  end subroutine set_fields

  subroutine set_parameters()
    integer :: i, iblock, n

    allocate (ysurf)
    ysurf%yveg%rvcov = [(real(i, jprb)/20, i=0, 20)]
    ysurf%yags%rvgmes = [(1/real(i + 1, jprb), i=0, 20)]
    allocate (gpd_sdp2(nproma, 3, nblocks), gpd_sdp3(nproma, ncss, 1, nblocks), source=0.0_jprb)
    do iblock = 1, nblocks
      n = min(nproma, npoi - (iblock - 1)*nproma)
      if (n < 1) exit
      call susdp_dflt_ctl(1, n, vftvl(1:n, iblock), vftvh(1:n, iblock), vfsoty(1:n, iblock), ncss, &
        gpd_sdp2(1:n, :, iblock), gpd_sdp3(1:n, :, :, iblock), ysurf%yveg, ysurf%ysoil, ysurf%yags)
      call susdp_deriv_ctl(1, n, vfsoty(1:n, iblock), ncss, gpd_sdp2(1:n, :, iblock), gpd_sdp3(1:n, :, :, iblock), &
        ysurf%yveg, ysurf%ysoil, ysurf%yags, ysurf%ycst)
    end do
  end subroutine set_parameters

  !> Day of the year (not made up here), date and time of the day.
  subroutine dattim(pjul, kymd, khm)
    real(jprd), intent(out) :: pjul
    integer(jpim), intent(out) :: kymd, khm

    pjul = 1
    kymd = date
    khm = 0
  end subroutine dattim

  !> Leaf area and albedo of the day, between the 15ths; months count as 30 days here.
  subroutine updtim1s()
    integer :: one, other, month, day
    real(jprd) :: weight

    month = mod(date/100, 100)
    day = mod(date, 100)
    one = merge(month, 1 + mod(month + 10, 12), day >= 15)
    other = 1 + mod(one, 12)
    weight = 1 - modulo(day - 15, 30)/30.0_jprd
    call unpack_buffer(vflail, real(weight*vclail(:, one) + (1 - weight)*vclail(:, other), jprb))
    call unpack_buffer(vflaih, real(weight*vclaih(:, one) + (1 - weight)*vclaih(:, other), jprb))
    call unpack_buffer(vfalbf, real(weight*vcalb(:, one) + (1 - weight)*vcalb(:, other), jprb))
  end subroutine updtim1s

  !> Temperature, rain and snow, such as months on Earth have.
  subroutine dtforc()
    integer :: month, day
    real(jprb) :: lat(npoi), lon(npoi)
    real(jprd) :: chance(npoi)

    month = mod(date/100, 100)
    day = mod(date, 100)
    call pack_buffer(gelat, lat)
    call pack_buffer(gelam, lon)
    chance = made_up(lon*180/real(rpi, jprd), lat*180/real(rpi, jprd), 1000 + 31*month + day)
    call unpack_buffer(tnlev1, 290 - 30*sin(lat)**2 - 8*sin(lat)*cos(rpi*month/6))
    call unpack_buffer(flsrf, real(2e-5*chance, jprb))
    call unpack_buffer(fcrf, real(1e-5*chance, jprb))
    call unpack_buffer(flssf, real(5e-6*chance, jprb))
    call unpack_buffer(fcsf, real(0*chance, jprb))
  end subroutine dtforc

  !> The physics: nothing of them is made up here.
  subroutine stepo1s()
    if (.not. associated(vfcvl)) error stop "stepo1s: before suinif1s"
  end subroutine stepo1s

  !> A restart holds the climate fields as they are, moved or not.
  subroutine wrtres()
    character(24) :: file
    real(jprb) :: flat(npoi, n_kept)
    integer :: unit, first

    call pack_buffer(vfcvl, flat(:, 1))
    call pack_buffer(vfcvh, flat(:, 2))
    call pack_buffer(vftvl, flat(:, 3))
    call pack_buffer(vftvh, flat(:, 4))
    call pack_buffer(vfcur, flat(:, 5))
    call pack_buffer(vfclake, flat(:, 6))
    call pack_buffer(vfclakef, flat(:, 7))
    first = sum(npoip(:mpl_rank - 1))
    write (file, "('restart', i0)") mpl_rank
    open (newunit=unit, file=trim(file), form="unformatted", status="replace", action="write")
    write (unit) first, npoi
    write (unit) flat, gpcc
    close (unit)
  end subroutine wrtres

  !> Whatever number of ranks wrote it.
  subroutine rdres()
    character(24) :: file
    real(jprb), allocatable :: flat(:, :), months(:, :, :), all_flat(:, :), all_months(:, :, :)
    integer :: unit, first, n, rank, from, to
    logical :: there

    allocate (all_flat(sum(npoip), n_kept), all_months(sum(npoip), 12, 3))
    rank = 1
    do
      write (file, "('restart', i0)") rank
      inquire (file=trim(file), exist=there)
      if (.not. there) exit
      open (newunit=unit, file=trim(file), form="unformatted", status="old", action="read")
      read (unit) first, n
      if (allocated(flat)) deallocate (flat, months)
      allocate (flat(n, n_kept), months(n, 12, 3))
      read (unit) flat, months
      close (unit)
      all_flat(first + 1:first + n, :) = flat
      all_months(first + 1:first + n, :, :) = months
      rank = rank + 1
    end do
    from = sum(npoip(:mpl_rank - 1)) + 1
    to = from + npoi - 1
    call unpack_buffer(vfcvl, all_flat(from:to, 1))
    call unpack_buffer(vfcvh, all_flat(from:to, 2))
    call unpack_buffer(vftvl, all_flat(from:to, 3))
    call unpack_buffer(vftvh, all_flat(from:to, 4))
    call unpack_buffer(vfcur, all_flat(from:to, 5))
    call unpack_buffer(vfclake, all_flat(from:to, 6))
    call unpack_buffer(vfclakef, all_flat(from:to, 7))
    gpcc = all_months(from:to, :, :)
  end subroutine rdres

  !> Number of each point over all ranks, negative in the padding.
  function blocked_index() result(index)
    integer :: index(nproma, nblocks)
    integer :: i

    index = -1
    do i = 1, npoi
      index(1 + mod(i - 1, nproma), 1 + (i - 1)/nproma) = sum(npoip(:mpl_rank - 1)) + i - 1
    end do
  end function blocked_index
end module ecland_standin
