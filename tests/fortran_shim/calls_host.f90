!> Every call of land_t in both kinds and both ranks, for test_calls.py, which answers them. The values
!> written here are the expected ones there. Returns the number of the step that failed, or 0.
integer(c_int) function run_calls() bind(c, name="run_calls")
  use, intrinsic :: iso_c_binding, only: c_int
  use landstep, only: land_t
  implicit none

  integer, parameter :: r4 = selected_real_kind(6), r8 = selected_real_kind(13)
  real(r8), parameter :: line(6) = [0.0_r8, 1.0_r8, 2.0_r8, 3.0_r8, 4.0_r8, 5.0_r8]
  real(r8), parameter :: table(2, 3) = reshape(line, [2, 3])
  real(r8) :: bounds(2, 6), corners(4, 6), months(6, 12), one(6), two(6), one_2d(2, 3), two_2d(2, 3)
  real(r8) :: bounds_2d(2, 2, 3), corners_2d(4, 2, 3), months_2d(2, 3, 12)
  real(r4) :: single(6), other(6), single_2d(2, 3), other_2d(2, 3), single_months(6, 12), single_months_2d(2, 3, 12)
  real(r8) :: mean
  integer :: numbers(6), counts(4), i, step, stat, count
  logical :: served(6), changed
  character(300) :: errmsg
  character(40) :: text
  character(3) :: short
  type(land_t) :: land

  bounds = reshape([(real(i, r8), i=0, 11)], [2, 6])
  corners = reshape([(real(i, r8), i=0, 23)], [4, 6])
  months = reshape([(real(i, r8), i=0, 71)], [6, 12])
  bounds_2d = reshape(bounds, [2, 2, 3])
  corners_2d = reshape(corners, [4, 2, 3])
  months_2d = reshape(months, [2, 3, 12])
  numbers = [(7 - i, i=1, 6)]
  served = [(mod(i, 3) /= 0, i=1, 6)]
  step = 0

  ! Points: once in each kind and rank, whole; then without anything that may be absent.
  call land%init("whole", line, line, bounds, bounds, corners, corners, line, numbers, served, 42, 1850, &
    "r.nc", "branch", stat, errmsg)
  if (failed(stat == 0)) return
  call land%finalize()
  call land%init("whole", table, table, bounds_2d, bounds_2d, corners_2d, corners_2d, table, &
    reshape(numbers, [2, 3]), reshape(served, [2, 3]), 42, 1850, "r.nc", "branch", stat, errmsg)
  if (failed(stat == 0)) return
  call land%finalize()
  call land%init("whole", real(line, r4), real(line, r4), real(bounds, r4), real(bounds, r4), &
    real(corners, r4), real(corners, r4), real(line, r4), numbers, served, 42, 1850, "r.nc", "branch", &
    stat, errmsg)
  if (failed(stat == 0)) return
  call land%finalize()
  call land%init("whole", real(table, r4), real(table, r4), real(bounds_2d, r4), real(bounds_2d, r4), &
    real(corners_2d, r4), real(corners_2d, r4), real(table, r4), reshape(numbers, [2, 3]), &
    reshape(served, [2, 3]), 42, 1850, "r.nc", "branch", stat, errmsg)
  if (failed(stat == 0)) return
  call land%finalize()

  ! Shapes that do not fit are named.
  call land%init("bad", line, line, area=line(:5), stat=stat, errmsg=errmsg)
  if (failed(stat == 8 .and. errmsg == "init: area has the shape (5), expected (6)")) return
  call land%init("bad", table, table, mask=reshape(served, [3, 2]), stat=stat, errmsg=errmsg)
  if (failed(stat == 8 .and. errmsg == "init: mask has the shape (3, 2), expected (2, 3)")) return
  call land%init("bad", line, line, vertex_lon=corners, vertex_lat=bounds, stat=stat, errmsg=errmsg)
  if (failed(stat == 8 .and. errmsg == "init: vertex_lat has the shape (2, 6), expected (4, 6)")) return
  if (failed(.not. land%is_open())) return
  call land%init("bare", line, line, stat=stat, errmsg=errmsg)
  if (failed(stat == 0 .and. land%is_open())) return

  ! What the host gives.
  call land%baseline("line", line)
  call land%baseline("line", real(line, r4))
  call land%baseline("line", table)
  call land%baseline("line", real(table, r4), stat, errmsg)
  if (failed(stat == 0)) return
  call land%baseline_monthly("months", months)
  call land%baseline_monthly("months", real(months, r4))
  call land%baseline_monthly("months", months_2d)
  call land%baseline_monthly("months", real(months_2d, r4), stat, errmsg)
  if (failed(stat == 0)) return
  call land%baseline_monthly("months", months(:, :11), stat, errmsg)
  if (failed(stat == 8 .and. index(errmsg, "n_months is 11") > 0)) return
  call land%put("line", line, "K")
  call land%put("line", real(line, r4), "K")
  call land%put("line", table, units="K")
  call land%put("line", real(table, r4), "K", stat, errmsg)
  if (failed(stat == 0)) return
  call land%put("bare", line, stat=stat, errmsg=errmsg)
  if (failed(stat == 0)) return

  ! What it asks for.
  call land%update(1851, 1, 31, changed)
  if (failed(changed)) return
  if (failed(land%is_changed("cvl"))) return
  if (failed(.not. land%is_changed("cvh", stat, errmsg))) return
  call land%get("cvl", one)
  call land%get("cvl", single)
  call land%get("cvl", one_2d)
  call land%get("cvl", single_2d, stat, errmsg)
  if (failed(is_line(one, 3) .and. is_line(reshape(one_2d, [6]), 3))) return
  if (failed(is_line(real(single, r8), 3) .and. is_line(real(reshape(single_2d, [6]), r8), 3))) return
  call land%get_previous("cvl", one)
  call land%get_previous("cvl", single)
  call land%get_previous("cvl", one_2d)
  call land%get_previous("cvl", single_2d, stat, errmsg)
  if (failed(is_line(one, 5) .and. is_line(reshape(one_2d, [6]), 5))) return
  if (failed(is_line(real(single, r8), 5) .and. is_line(real(reshape(single_2d, [6]), r8), 5))) return
  call land%get_monthly("months", months)
  call land%get_monthly("months", single_months)
  call land%get_monthly("months", months_2d)
  call land%get_monthly("months", single_months_2d, stat, errmsg)
  if (failed(is_year(months) .and. is_year(reshape(months_2d, [6, 12])))) return
  if (failed(is_year(real(single_months, r8)) .and. is_year(real(reshape(single_months_2d, [6, 12]), r8)))) return
  call land%get_monthly("months", months(:, :11), stat, errmsg)
  if (failed(stat == 8 .and. index(errmsg, "n_months is 11") > 0)) return
  one = line
  single = real(line, r4)
  one_2d = table
  single_2d = real(table, r4)
  call land%add_change("added", one)
  call land%add_change("added", single)
  call land%add_change("added", one_2d)
  call land%add_change("added", single_2d, stat, errmsg)
  if (failed(is_line(one/2, 1) .and. is_line(reshape(one_2d, [6])/2, 1))) return
  if (failed(is_line(real(single, r8)/2, 1) .and. is_line(real(reshape(single_2d, [6]), r8)/2, 1))) return
  call land%add_change("added", one(:5), stat, errmsg)
  if (failed(stat == 8 .and. index(errmsg, "has 5 values") > 0)) return
  call land%get_change("forest", one, two)
  call land%get_change("forest", single, other)
  call land%get_change("forest", one_2d, two_2d)
  call land%get_change("forest", single_2d, other_2d, stat, errmsg)
  if (failed(is_line(one, 1) .and. is_line(two, 2) .and. is_line(reshape(one_2d, [6]), 1))) return
  if (failed(is_line(reshape(two_2d, [6]), 2) .and. is_line(real(single, r8), 1))) return
  if (failed(is_line(real(other, r8), 2) .and. is_line(real(reshape(other_2d, [6]), r8), 2))) return
  call land%get_transition("forest", "cropland", one)
  call land%get_transition("forest", "cropland", single)
  call land%get_transition("forest", "cropland", one_2d)
  call land%get_transition("forest", "cropland", single_2d, stat, errmsg)
  if (failed(is_line(one, 7) .and. is_line(reshape(one_2d, [6]), 7))) return
  if (failed(is_line(real(single, r8), 7) .and. is_line(real(reshape(single_2d, [6]), r8), 7))) return
  call land%get_transition("forest", "tundra", one, stat, errmsg)
  if (failed(stat == 8 .and. index(errmsg, "get_transition: no class 'tundra'") == 1)) return
  call land%get_maximum("cvl", one, 11)
  call land%get_maximum("cvl", single, 11)
  call land%get_maximum("cvl", one_2d, 11)
  call land%get_maximum("cvl", single_2d, 11, stat, errmsg)
  if (failed(is_line(one, 11) .and. is_line(reshape(one_2d, [6]), 11))) return
  if (failed(is_line(real(single, r8), 11) .and. is_line(real(reshape(single_2d, [6]), r8), 11))) return
  call land%get_change("forest", one, two(:5), stat, errmsg)
  if (failed(stat == 8 .and. errmsg == "get_change: gain and loss differ in shape")) return
  counts = 0
  call land%get_coverage(counts(1), counts(2), counts(3), mean, counts(4), stat, errmsg)
  if (failed(stat == 0 .and. all(counts == [11, 2, 3, 6]) .and. abs(mean - 4.5_r8) < 1e-6_r8)) return
  call land%describe("cvl", "units", text)
  if (failed(text == "units of cvl")) return
  short = "abc"
  call land%describe("cvl", "units", short, stat, errmsg)
  if (failed(stat == 8 .and. short == "abc" .and. index(errmsg, "has 12 bytes") > 0)) return
  call land%field_count(count)
  if (failed(count == 2)) return
  call land%field_name(2, text)
  if (failed(text == "cvh")) return
  call land%field_name(3, text, stat, errmsg)
  if (failed(stat == 8 .and. text == "cvh")) return
  call land%write_restart("out.nc")
  call land%finalize(stat, errmsg)
  if (failed(stat == 0)) return
  call land%put("line", line, "K", stat, errmsg)
  if (failed(stat == 5 .and. errmsg == "put: called before init or after finalize")) return
  run_calls = 0_c_int

contains

  logical function failed(truth)
    logical, intent(in) :: truth

    step = step + 1
    failed = .not. truth
    run_calls = int(step, c_int)
  end function failed

  pure logical function is_line(values, divisor)
    real(r8), intent(in) :: values(6)
    integer, intent(in) :: divisor

    is_line = all(abs(values - line/divisor) < 1e-6_r8)
  end function is_line

  pure logical function is_year(values)
    real(r8), intent(in) :: values(6, 12)
    integer :: month

    is_year = .true.
    do month = 1, 12
      is_year = is_year .and. all(abs(values(:, month) - line - month) < 1e-6_r8)
    end do
  end function is_year
end function run_calls
