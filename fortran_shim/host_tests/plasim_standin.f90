! PlaSim's names, kinds and shapes, as far as the page's lines need them; all values are made up.
! PlaSim is built for a number of ranks; here that number is taken when the run begins.
! host-test: flags = -O3 -fdefault-real-8 -ffpe-trap=invalid,zero,overflow -finit-real=snan
! host-test: flags = -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow
! host-test: ranks = 2
module pumamod
  implicit none
  integer, parameter :: nlat = 32, nlon = 64, nlev = 10, nlep = nlev + 1
  integer :: npro = 1, nlpp = nlat, nhor = nlon*nlat
  integer :: mypid = 0, myworld = 0 !! as in PlaSim, 0 where there is no MPI
  integer :: nrestart = 0, ndatim(7) = -1, nud = 6
  real, allocatable, dimension(:) :: deglat, dls, dforest, dwmax, dz0, dglac, dalb, dtsa, dprl, dprc
  real, allocatable :: dfd(:, :)
  real(kind=8), allocatable :: sid(:)
end module pumamod

module landmod
  use pumamod
  implicit none
  real, allocatable :: dalbcl(:, :)
  real, allocatable, dimension(:) :: dalbclim, dz0clim
end module landmod

!> Sines of latitudes from north to south, and the weights of Gauss, by Newton's steps.
subroutine inigau(klat, pz0, pzw)
  implicit none
  integer, intent(in) :: klat
  real(kind=8), intent(out) :: pz0(klat), pzw(klat)
  real(kind=8) :: x, p0, p1, p2, slope
  integer :: j, n, step

  do j = 1, klat
    x = cos(3.14159265358979_8*(j - 0.25_8)/(klat + 0.5_8))
    do step = 1, 20
      p0 = 1
      p1 = x
      do n = 2, klat
        p2 = ((2*n - 1)*x*p1 - (n - 1)*p0)/n
        p0 = p1
        p1 = p2
      end do
      slope = klat*(p0 - x*p1)/(1 - x*x)
      x = x - p1/slope
    end do
    pz0(j) = x
    pzw(j) = 2/((1 - x*x)*slope*slope)
  end do
end subroutine inigau

subroutine mpabort(ym)
  use pumamod, only: nud
  implicit none
  character(*), intent(in) :: ym

  write (nud, "(a)") ym(:min(len(ym), 60))
  error stop
end subroutine mpabort

!> What PlaSim's namelists and compiled numbers say of the ranks.
subroutine mpstart(rank, n_ranks, comm)
  use pumamod
  implicit none
  integer, intent(in) :: rank, n_ranks, comm
  real(kind=8) :: sines(nlat), weights(nlat)

  mypid = rank
  npro = n_ranks
  if (npro > 1) myworld = comm
  nlpp = nlat/npro
  nhor = nlon*nlpp
  call inigau(nlat, sines, weights)
  sid = sines(mypid*nlpp + 1:(mypid + 1)*nlpp)
  deglat = real(asin(sid)*180/acos(-1.0_8))
end subroutine mpstart

!> The fields of the surface files, or those of the restart.
subroutine surfini()
  use host_kit, only: made_up
  use landmod
  implicit none
  integer :: i, month
  real(kind=8) :: lon(nhor), lat(nhor)

  lon = [(mod(i, nlon)*360.0_8/nlon, i=0, nhor - 1)]
  lat = [(real(deglat(i/nlon + 1), 8), i=0, nhor - 1)]
  dls = merge(1.0, 0.0, made_up(lon, lat, 1) < 0.7)
  dforest = real(made_up(lon, lat, 2))*dls
  dwmax = 0.001 + real(made_up(lon, lat, 3))
  dz0clim = 0.005 + 3*real(made_up(lon, lat, 4))
  dglac = merge(1.0, 0.0, made_up(lon, lat, 5) < 0.05)*dls
  allocate (dalbcl(nhor, 0:13), dfd(nhor, nlep), source=0.0)
  do month = 1, 12
    dalbcl(:, month) = 0.07 + 0.6*real(made_up(lon, lat, 10 + month))
  end do
  dalbcl(:, 0) = dalbcl(:, 12)
  dalbcl(:, 13) = dalbcl(:, 1)
  allocate (dz0(nhor), dalb(nhor), dalbclim(nhor), dtsa(nhor), dprl(nhor), dprc(nhor), source=0.0)
  dz0 = merge(dz0clim, 1e-5, dls > 0.5)
  if (nrestart > 0) call read_restart()

contains

  !> The global file of PlaSim, here a file for each rank that wrote it.
  subroutine read_restart()
    integer :: unit, rank, first, points, status
    character(32) :: path
    real, allocatable :: fields(:, :)
    integer :: from, to

    do rank = 0, nlat - 1
      write (path, "('plasim_restart.', i0)") rank
      open (newunit=unit, file=path, form="unformatted", status="old", action="read", iostat=status)
      if (status /= 0) exit
      read (unit) first, points
      allocate (fields(points, 18))
      read (unit) fields
      close (unit)
      from = max(first, mypid*nhor)
      to = min(first + points, (mypid + 1)*nhor)
      if (to > from) then
        dforest(from - mypid*nhor + 1:to - mypid*nhor) = fields(from - first + 1:to - first, 1)
        dwmax(from - mypid*nhor + 1:to - mypid*nhor) = fields(from - first + 1:to - first, 2)
        dz0(from - mypid*nhor + 1:to - mypid*nhor) = fields(from - first + 1:to - first, 3)
        dz0clim(from - mypid*nhor + 1:to - mypid*nhor) = fields(from - first + 1:to - first, 4)
        dalbcl(from - mypid*nhor + 1:to - mypid*nhor, :) = fields(from - first + 1:to - first, 5:18)
      end if
      deallocate (fields)
    end do
  end subroutine read_restart
end subroutine surfini

!> PlaSim writes plasim_status, which its script makes the next run's plasim_restart.
subroutine surfstop()
  use landmod
  implicit none
  integer :: unit
  character(32) :: path

  write (path, "('plasim_restart.', i0)") mypid
  open (newunit=unit, file=path, form="unformatted", status="replace", action="write")
  write (unit) mypid*nhor, nhor
  write (unit) dforest, dwmax, dz0, dz0clim, dalbcl
  close (unit)
end subroutine surfstop

subroutine gridpointa()
end subroutine gridpointa

!> A climate that a place always has, then the surface.
subroutine gridpointd()
  use pumamod
  implicit none
  external :: landstep
  integer :: i

  dtsa = [(300.0 - abs(deglat(i/nlon + 1))/3, i=0, nhor - 1)]
  dprl = 2e-8
  dprc = 1e-8
  dfd = 200.0
  call landstep()
end subroutine gridpointd

!> PlaSim's own subroutine of this name: it links beside module landstep.
subroutine landstep()
  use landmod
  implicit none
  external :: getalb

  call getalb()
  where (dls > 0.5) dalb = dalbclim
  where (dls > 0.5 .and. dglac > 0.5) dalb = 0.8
end subroutine landstep

!> Between the middles of months, of 30 days to keep it short.
subroutine getalb()
  use landmod
  implicit none
  integer :: month, neighbour
  real :: weight

  month = ndatim(2)
  neighbour = merge(month + 1, month - 1, ndatim(3) > 15)
  weight = abs(ndatim(3) - 15)/31.0
  dalbclim = (1 - weight)*dalbcl(:, month) + weight*dalbcl(:, neighbour)
end subroutine getalb
