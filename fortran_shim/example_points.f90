!> The example host's points: its own list, whole or the part that one rank has.
module example_points
  implicit none
  private
  public :: points_t, points_pick, points_problem, division_names, part_of_rank, coordinate_kind

  integer, parameter :: coordinate_kind = selected_real_kind(13) !! of places and of fields as landstep hands them

  !> Points of the host, in degrees. What is not allocated it does not have.
  type :: points_t
    real(coordinate_kind), allocatable :: lon(:), lat(:)
    real(coordinate_kind), allocatable :: lon_bounds(:, :), lat_bounds(:, :) !! (2, n)
    real(coordinate_kind), allocatable :: fraction(:, :) !! (n, cover): cover fractions of the host's own, 0..1
    integer, allocatable :: index(:)                     !! place in the whole list, from 0
  end type points_t

  character(*), parameter :: division_names(4) = [character(11) :: "blocks", "round_robin", "uneven", "empty"]

contains

  !> Which points a rank has, as places in the whole list, from 1.
  !> blocks: as many consecutive ones each; round_robin: one each in turn; uneven: blocks of which
  !> the second is twice the first, the third three times; empty: in turn, but none for rank 0.
  pure function part_of_rank(division, n, rank, ranks) result(places)
    character(*), intent(in) :: division
    integer, intent(in) :: n, rank, ranks !! rank 0..ranks - 1
    integer, allocatable :: places(:)
    integer :: owner(n), i, others

    do i = 1, n
      select case (division)
      case ("round_robin")
        owner(i) = mod(i - 1, ranks)
      case ("uneven")
        owner(i) = 0
        do while (i > n*((owner(i) + 1)*(owner(i) + 2))/(ranks*(ranks + 1)))
          owner(i) = owner(i) + 1
        end do
      case ("empty")
        others = max(ranks - 1, 1)
        owner(i) = mod(i - 1, others) + ranks - others
      case default
        owner(i) = ((i - 1)*ranks)/n
      end select
    end do
    places = pack([(i, i=1, n)], owner == rank)
  end function part_of_rank

  !> The points at some places of a list.
  pure subroutine points_pick(points, places, part)
    type(points_t), intent(in) :: points
    integer, intent(in) :: places(:) !! from 1
    type(points_t), intent(out) :: part

    part%lon = points%lon(places)
    part%lat = points%lat(places)
    part%index = points%index(places)
    if (allocated(points%lon_bounds)) part%lon_bounds = points%lon_bounds(:, places)
    if (allocated(points%lat_bounds)) part%lat_bounds = points%lat_bounds(:, places)
    if (allocated(points%fraction)) part%fraction = points%fraction(places, :)
  end subroutine points_pick

  !> What is wrong with the fractions, or nothing: one for each cover, in 0..1, and those of a point sum
  !> to at most 1. What is left of the point is the host's own.
  pure function points_problem(points, covers) result(problem)
    type(points_t), intent(in) :: points
    integer, intent(in) :: covers !! how many the host asks for
    character(:), allocatable :: problem
    character(80) :: text
    integer :: i

    problem = ""
    if (.not. allocated(points%fraction)) return
    if (size(points%fraction, 2) /= covers) then
      write (text, "(2(a, i0))") "fraction: has ", size(points%fraction, 2), " covers, the host asks for ", covers
      problem = trim(text)
      return
    end if
    do i = 1, size(points%fraction, 1)
      if (all(points%fraction(i, :) >= 0) .and. sum(points%fraction(i, :)) <= 1.0_coordinate_kind + 1e-9) cycle
      write (text, "(a, i0, a)") "fraction: those of point ", i, " are not in 0..1, or sum to more than 1"
      problem = trim(text)
      return
    end do
  end function points_problem
end module example_points
