!> Values between months in the order of operations of the hosts whose names the rules have, for
!> test_host_months.py: kinds of weights and maps as in ecLand, CTSM and Noah-MP.
module months
  use, intrinsic :: iso_c_binding, only: c_double, c_float, c_int
  implicit none
  private
  public :: ecland_double, ecland_single, ctsm, noahmp_double, noahmp_single

contains

  !> The weight is in double precision in both builds.
  pure function ecland_weight(days_left, days) result(weight)
    integer(c_int), intent(in) :: days_left, days !! to the next 15th, of those between two
    real(c_double) :: weight
    real(c_double) :: last, next, now

    last = 86400.0_c_double*10957
    next = last + 86400.0_c_double*days
    now = next - 86400.0_c_double*days_left
    weight = (next - now)/(next - last)
  end function ecland_weight

  subroutine ecland_double(n, maps, first, next, days_left, days, values) bind(c)
    integer(c_int), value :: n, first, next, days_left, days !! months 1..12
    real(c_double), intent(in) :: maps(n, 12)
    real(c_double), intent(out) :: values(n)
    real(c_double) :: w1, w2

    w1 = ecland_weight(days_left, days)
    w2 = 1.0_c_double - w1
    values = w1*maps(:, first) + w2*maps(:, next)
  end subroutine ecland_double

  subroutine ecland_single(n, maps, first, next, days_left, days, values) bind(c)
    integer(c_int), value :: n, first, next, days_left, days
    real(c_float), intent(in) :: maps(n, 12)
    real(c_float), intent(out) :: values(n)
    real(c_double) :: w1, w2

    w1 = ecland_weight(days_left, days)
    w2 = 1.0_c_double - w1
    values = real(w1*maps(:, first) + w2*maps(:, next), c_float)
  end subroutine ecland_single

  subroutine ctsm(n, maps, month, day, days, values) bind(c)
    integer(c_int), value :: n, month, day, days
    real(c_double), intent(in) :: maps(n, 12)
    real(c_double), intent(out) :: values(n)
    real(c_double) :: t, w(2)
    integer :: it(2)

    t = (day - 0.5_c_double)/days
    it(1) = int(t + 0.5_c_double)
    it(2) = it(1) + 1
    w(1) = (it(1) + 0.5_c_double) - t
    w(2) = 1.0_c_double - w(1)
    it = month + it - 1
    if (it(1) < 1) it(1) = 12
    if (it(2) > 12) it(2) = 1
    values = w(1)*maps(:, it(1)) + w(2)*maps(:, it(2))
  end subroutine ctsm

  subroutine noahmp_double(n, maps, lat, passed, days, values) bind(c)
    integer(c_int), value :: n, passed, days !! days of the year that have passed, of all of them
    real(c_double), intent(in) :: maps(n, 12), lat(n)
    real(c_double), intent(out) :: values(n)
    real(c_double) :: day, t, w1, w2
    integer :: i, it1, it2

    do i = 1, n
      day = passed
      if (lat(i) < 0) day = mod(passed + 0.5_c_double*days, real(days, c_double))
      t = 12.0_c_double*day/real(days, c_double)
      it1 = int(t + 0.5_c_double)
      it2 = it1 + 1
      w1 = (it1 + 0.5_c_double) - t
      w2 = 1.0_c_double - w1
      if (it1 < 1) it1 = 12
      if (it2 > 12) it2 = 1
      values(i) = w1*maps(i, it1) + w2*maps(i, it2)
    end do
  end subroutine noahmp_double

  subroutine noahmp_single(n, maps, lat, passed, days, values) bind(c)
    integer(c_int), value :: n, passed, days
    real(c_float), intent(in) :: maps(n, 12), lat(n)
    real(c_float), intent(out) :: values(n)
    real(c_float) :: day, t, w1, w2
    integer :: i, it1, it2

    do i = 1, n
      day = passed
      if (lat(i) < 0) day = mod(passed + 0.5_c_float*days, real(days, c_float))
      t = 12.0_c_float*day/real(days, c_float)
      it1 = int(t + 0.5_c_float)
      it2 = it1 + 1
      w1 = (it1 + 0.5_c_float) - t
      w2 = 1.0_c_float - w1
      if (it1 < 1) it1 = 12
      if (it2 > 12) it2 = 1
      values(i) = w1*maps(i, it1) + w2*maps(i, it2)
    end do
  end subroutine noahmp_single
end module months
