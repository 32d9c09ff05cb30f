!> The tiles of the example host's points, and what moves between them when the land changes.
!>
!> Each point is cut into tiles: one a cover that the host asks for, and last the host's own, which is
!> all of the point that those covers leave. A tile holds water (kg m-2) and heat (J m-2). Where land
!> changes, what the lost area held goes into a pool, and the pool to the gaining tiles in proportion
!> to the area they gain: the point's totals stay what they were, to rounding.
module example_tiles
  use example_points, only: coordinate_kind
  implicit none
  private
  public :: tiles_t, tiles_start, tiles_move, tiles_with_own, tile_total

  !> Tiles of n points. The last of a point's tiles is the host's own.
  type :: tiles_t
    real(coordinate_kind), allocatable :: fraction(:, :) !! (point, tile), 0..1; sums to 1
    real, allocatable :: water(:, :), heat(:, :)         !! (point, tile) kg m-2, J m-2 of the tile
    real(coordinate_kind), allocatable :: water_before(:), water_after(:) !! kg m-2 of the point, at the
    real(coordinate_kind), allocatable :: heat_before(:), heat_after(:)   !! last move; J m-2
    real(coordinate_kind), allocatable :: water_error(:), heat_error(:)   !! largest |after - before| / before
  end type tiles_t

contains

  !> Make the tiles of a new run, every one that has area with the same stores.
  subroutine tiles_start(tiles, fraction, water, heat)
    type(tiles_t), intent(out) :: tiles
    real(coordinate_kind), intent(in) :: fraction(:, :) !! (point, tile)
    real, intent(in) :: water(:), heat(:)               !! (point) kg m-2, J m-2
    integer :: n, k

    n = size(fraction, 1)
    tiles%fraction = fraction
    allocate (tiles%water(n, size(fraction, 2)), tiles%heat(n, size(fraction, 2)))
    do k = 1, size(fraction, 2)
      tiles%water(:, k) = merge(water, 0.0, fraction(:, k) > 0)
      tiles%heat(:, k) = merge(heat, 0.0, fraction(:, k) > 0)
    end do
    allocate (tiles%water_before(n), tiles%water_after(n), tiles%heat_before(n), tiles%heat_after(n))
    allocate (tiles%water_error(n), tiles%heat_error(n))
    tiles%water_before = tile_total(tiles%fraction, tiles%water)
    tiles%heat_before = tile_total(tiles%fraction, tiles%heat)
    tiles%water_after = tiles%water_before
    tiles%heat_after = tiles%heat_before
    tiles%water_error = 0
    tiles%heat_error = 0
  end subroutine tiles_start

  !> Add the host's own tile to the covers: what they leave, without the rounding of their sum.
  pure function tiles_with_own(cover_fraction) result(fraction)
    real(coordinate_kind), intent(in) :: cover_fraction(:, :) !! (point, cover)
    real(coordinate_kind) :: fraction(size(cover_fraction, 1), size(cover_fraction, 2) + 1)
    real(coordinate_kind) :: rest(size(cover_fraction, 1))

    rest = 1 - sum(cover_fraction, 2)
    fraction(:, :size(cover_fraction, 2)) = cover_fraction
    fraction(:, size(fraction, 2)) = merge(rest, 0.0_coordinate_kind, rest > 16*epsilon(rest))
  end function tiles_with_own

  !> Give the tiles their new fractions, and what they hold with them.
  !>
  !> What is taken from landstep's gross change is the turnover of each class: area that left it and
  !> was replaced by as much of the same class elsewhere in the cell, min(gain, loss). The net change
  !> is always that of the fractions which the host really has, new - old. They need not be
  !> landstep's own: in anomaly mode they are the host's baseline and a change, bounded to 0..1. The
  !> turnover is bounded to what the tile has both before and after, so that
  !>
  !>   kept = min(old, new) - turnover,   loss = old - kept,   gain = new - kept
  !>
  !> are all at least 0 and gain - loss = new - old holds in the host's own fractions.
  subroutine tiles_move(tiles, fraction, turnover)
    type(tiles_t), intent(inout) :: tiles
    real(coordinate_kind), intent(in) :: fraction(:, :) !! (point, tile)
    real(coordinate_kind), intent(in) :: turnover(:, :) !! (point, tile), shares of the point, as landstep knows them
    real(coordinate_kind), dimension(size(fraction, 2)) :: kept, loss, gain
    integer :: i

    tiles%water_before = tile_total(tiles%fraction, tiles%water)
    tiles%heat_before = tile_total(tiles%fraction, tiles%heat)
    do i = 1, size(fraction, 1)
      kept = min(tiles%fraction(i, :), fraction(i, :))
      kept = kept - min(kept, turnover(i, :))
      loss = tiles%fraction(i, :) - kept
      gain = fraction(i, :) - kept
      call move_store(fraction(i, :), loss, gain, tiles%water(i, :))
      call move_store(fraction(i, :), loss, gain, tiles%heat(i, :))
    end do
    tiles%fraction = fraction
    tiles%water_after = tile_total(tiles%fraction, tiles%water)
    tiles%heat_after = tile_total(tiles%fraction, tiles%heat)
    tiles%water_error = max(tiles%water_error, relative(tiles%water_before, tiles%water_after))
    tiles%heat_error = max(tiles%heat_error, relative(tiles%heat_before, tiles%heat_after))
  end subroutine tiles_move

  !> Move one store of one point's tiles. A tile that gains nothing keeps its value to the bit.
  pure subroutine move_store(fraction, loss, gain, store)
    real(coordinate_kind), intent(in) :: fraction(:), loss(:), gain(:) !! new fractions; shares of the point
    real, intent(inout) :: store(:) !! per area of the tile
    real(coordinate_kind) :: pool, given, mean
    integer :: k

    pool = sum(loss*store)
    given = sum(gain)
    mean = 0
    if (given > 0) mean = pool/given
    do k = 1, size(store)
      if (fraction(k) <= 0) then ! vanished: all it had is in the pool
        store(k) = 0
      else if (gain(k) > 0) then
        store(k) = real(store(k) + gain(k)/fraction(k)*(mean - store(k)), kind(store))
      end if
    end do
  end subroutine move_store

  !> What the tiles of each point hold together, per area of the point.
  pure function tile_total(fraction, store) result(total)
    real(coordinate_kind), intent(in) :: fraction(:, :)
    real, intent(in) :: store(:, :)
    real(coordinate_kind) :: total(size(fraction, 1))

    total = sum(fraction*store, 2)
  end function tile_total

  !> Size of a budget's gap as a share of what there was.
  elemental real(coordinate_kind) function relative(before, after)
    real(coordinate_kind), intent(in) :: before, after

    relative = abs(after - before)/max(abs(before), tiny(before))
  end function relative
end module example_tiles
