!> Moves between tiles, read from standard input and written to standard output: n points of m tiles,
!> their old fractions, new fractions, turnover, water and heat, all (point, tile) in numpy's order.
program tiles_probe
  use example_points, only: coordinate_kind
  use example_tiles, only: tiles_move, tiles_start, tiles_t
  implicit none

  type(tiles_t) :: tiles
  real(coordinate_kind), allocatable :: old(:, :), new(:, :), turnover(:, :), water(:, :), heat(:, :)
  integer :: n, m, i

  read *, n, m
  allocate (old(m, n), new(m, n), turnover(m, n), water(m, n), heat(m, n))
  read *, old, new, turnover, water, heat
  call tiles_start(tiles, transpose(old), spread(0.0, 1, n), spread(0.0, 1, n))
  tiles%water = real(transpose(water))
  tiles%heat = real(transpose(heat))
  call tiles_move(tiles, transpose(new), transpose(turnover))
  do i = 1, n
    print "(*(es25.17e3))", tiles%fraction(i, :), tiles%water(i, :), tiles%heat(i, :), tiles%water_before(i), &
      tiles%water_after(i), tiles%water_error(i), tiles%heat_error(i)
  end do
end program tiles_probe
