!> The Fortran side of bridge.py: `bridge_host EXPERIMENT YEAR POINTS` does what each line that it
!> reads asks for, and answers with a line of numbers, seconds by the wall clock.
!>   empty N     N updates to the date already reached                -> seconds a call
!>   get N       N times `get` of a real64 field, and N plain copies  -> seconds of each, medians
!>   step YEAR   one update to 1 January of the year                  -> seconds
!>   days N      N updates, a day each, on from the last              -> seconds in all
!> The points lie evenly on a square of side 8 degrees, south-east of the first two lines it reads.
program bridge_host
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  use landstep, only: land_t
  implicit none

  integer, parameter :: days_in_month(12) = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] ! noleap
  character(*), parameter :: field = "area_fraction_forest"
  real(real64), parameter :: side = 8
  type(land_t) :: land
  character(4096) :: experiment, line, errmsg
  character(16) :: word
  real(real64), allocatable :: lon(:), lat(:), values(:), copy(:), times(:)
  real(real64), allocatable :: lon_bounds(:, :), lat_bounds(:, :)
  real(real64) :: west, north, step
  integer :: year, month, day, n, across, i, stat, asked
  logical :: changed

  call get_command_argument(1, experiment)
  call get_command_argument(2, line)
  read (line, *) year
  call get_command_argument(3, line)
  read (line, *) n
  read (*, *) west, north
  across = ceiling(sqrt(real(n, real64)))
  step = side/across
  allocate (lon(n), lat(n), values(n), copy(n), lon_bounds(2, n), lat_bounds(2, n))
  do i = 1, n
    lon(i) = west + (mod(i - 1, across) + 0.5_real64)*step
    lat(i) = north - ((i - 1)/across + 0.5_real64)*step
    lon_bounds(:, i) = west + [mod(i - 1, across), mod(i - 1, across) + 1]*step
    lat_bounds(:, i) = north - [(i - 1)/across + 1, (i - 1)/across]*step
  end do
  month = 1
  day = 1
  call land%init(experiment, lon, lat, lon_bounds=lon_bounds, lat_bounds=lat_bounds, year=year, &
    stat=stat, errmsg=errmsg)
  call check()
  call update()
  print "(a)", "ready"

  do
    flush (6)
    read (*, "(a)", iostat=stat) line
    if (stat /= 0) exit
    read (line, *) word, asked
    select case (word)
    case ("empty")
      call empty_calls(asked)
    case ("get")
      call copies(asked)
    case ("step")
      year = asked
      print *, timed_update()
    case ("days")
      call run_days(asked)
    case default
      error stop "bridge_host: empty, get, step or days"
    end select
  end do
  call land%finalize(stat, errmsg)
  call check()

contains

  subroutine empty_calls(calls)
    integer, intent(in) :: calls
    real(real64) :: began

    began = now()
    do i = 1, calls
      call land%update(year, month, day, changed, stat, errmsg)
    end do
    print *, (now() - began)/calls
    call check()
  end subroutine empty_calls

  subroutine copies(calls)
    integer, intent(in) :: calls
    real(real64) :: began, copied(calls)

    allocate (times(calls))
    do i = 1, calls
      began = now()
      call land%get(field, values, stat, errmsg)
      times(i) = now() - began
      call check()
      began = now()
      copy(:) = values
      copied(i) = now() - began
      if (copy(mod(i, n) + 1) < 0) error stop "bridge_host: a share below 0"
    end do
    print *, median(times), median(copied)
    deallocate (times)
  end subroutine copies

  subroutine run_days(days)
    integer, intent(in) :: days
    real(real64) :: began

    began = now()
    do i = 1, days
      day = day + 1
      if (day > days_in_month(month)) then
        day = 1
        month = month + 1
      end if
      if (month > 12) then
        month = 1
        year = year + 1
      end if
      call update()
      if (changed) call land%get(field, values, stat, errmsg)
      call check()
    end do
    print *, now() - began
  end subroutine run_days

  real(real64) function timed_update()
    real(real64) :: began

    began = now()
    call update()
    timed_update = now() - began
  end function timed_update

  subroutine update()
    call land%update(year, month, day, changed, stat, errmsg)
    call check()
  end subroutine update

  subroutine check()
    if (stat == 0) return
    write (error_unit, "(2a)") "bridge_host: ", trim(errmsg)
    error stop 1, quiet=.true.
  end subroutine check

  real(real64) function now()
    integer(int64) :: ticks, rate

    call system_clock(ticks, rate)
    now = real(ticks, real64)/real(rate, real64)
  end function now

  real(real64) function median(given)
    real(real64), intent(in) :: given(:)
    real(real64) :: sorted(size(given)), taken
    integer :: place, other

    sorted(:) = given
    do place = 2, size(sorted)
      taken = sorted(place)
      other = place - 1
      do while (other > 0)
        if (sorted(other) <= taken) exit
        sorted(other + 1) = sorted(other)
        other = other - 1
      end do
      sorted(other + 1) = taken
    end do
    median = sorted((size(sorted) + 1)/2)
  end function median
end program bridge_host
