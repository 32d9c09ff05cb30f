!> What the driver and every stand-in share: how a run was asked for, made-up boundary fields, and the
!> record of a host's fields. A record is text, so that no flag of a compiler changes its form.
module host_kit
  use, intrinsic :: iso_fortran_env, only: int32, int64, real32, real64
  implicit none
  private
  public :: run_t, record_t, made_up, days_gregorian, days_noleap

  integer(int64), parameter :: prime = 2147483647_int64 !! 2**31 - 1: products stay below 2**62
  integer(int64), parameter :: low_half = 4294967295_int64

  !> How a run was asked for.
  type :: run_t
    logical :: coupled = .true.    !! false: the host without any call of landstep
    logical :: restarted = .false. !! true: from the restarts that lie in the folder
    integer :: first(3) = 0        !! year, month, day that the run begins with
    integer :: comm = -1           !! communicator of the ranks, -1 without MPI
    integer :: rank = 0, n_ranks = 1
  end type run_t

  !> A host's fields at one date. A checksum is a sum over points, so that ranks, blocks and order do
  !> not matter; padding has a negative index and is left out.
  type :: record_t
    integer :: dates_unit = 0, values_unit = 0
    logical :: with_values = .false. !! write each value, not the checksum alone
    integer :: year = 0, month = 0, day = 0
  contains
    generic :: add => add_real64, add_real32, add_integer, add_real64_2d, add_real32_2d, add_integer_2d
    procedure, private :: add_real64, add_real32, add_integer, add_real64_2d, add_real32_2d, add_integer_2d
  end type record_t

contains

  !> A number from 0 up to 1, in thousandths, that only the place and `which` decide.
  pure elemental real(real64) function made_up(lon, lat, which)
    real(real64), intent(in) :: lon, lat !! degrees
    integer, intent(in) :: which         !! another number is another field
    integer(int64) :: mixed

    mixed = mod(nint(lon*1000, int64)*48271 + nint((lat + 90)*1000, int64)*69621 + 40014_int64*which, prime)
    mixed = mod(mixed*mixed + which, prime)
    made_up = real(mod(mixed, 1000_int64), real64)/1000
  end function made_up

  !> Days of a month by the Gregorian calendar.
  pure integer function days_gregorian(year, month)
    integer, intent(in) :: year, month

    days_gregorian = days_noleap(month)
    if (month == 2 .and. mod(year, 4) == 0 .and. (mod(year, 100) /= 0 .or. mod(year, 400) == 0)) days_gregorian = 29
  end function days_gregorian

  !> Days of a month in years of 365 days.
  pure integer function days_noleap(month)
    integer, intent(in) :: month
    integer, parameter :: days(12) = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    days_noleap = days(month)
  end function days_noleap

  !> Put a field into the record.
  subroutine add_real64(self, name, values, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    real(real64), intent(in) :: values(:)
    integer, intent(in) :: index(:) !! number of the point over all ranks; negative: padding
    integer(int64), allocatable :: bits(:)
    integer :: i

    allocate (bits(size(values)))
    do i = 1, size(values)
      bits(i) = 0_int64
      if (index(i) >= 0) bits(i) = transfer(values(i), bits(i))
    end do
    call add_bits(self, name, bits, index)
  end subroutine add_real64

  !> The same in single precision.
  subroutine add_real32(self, name, values, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    real(real32), intent(in) :: values(:)
    integer, intent(in) :: index(:)
    integer(int64), allocatable :: bits(:)
    integer :: i

    allocate (bits(size(values)))
    do i = 1, size(values)
      bits(i) = 0_int64
      if (index(i) >= 0) bits(i) = int(transfer(values(i), 0_int32), int64)
    end do
    call add_bits(self, name, bits, index)
  end subroutine add_real32

  !> The same for whole numbers.
  subroutine add_integer(self, name, values, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    integer, intent(in) :: values(:)
    integer, intent(in) :: index(:)
    integer(int64), allocatable :: bits(:)

    allocate (bits(size(values)))
    bits = int(values, int64)
    call add_bits(self, name, bits, index)
  end subroutine add_integer

  !> The same for points in two dimensions.
  subroutine add_real64_2d(self, name, values, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    real(real64), intent(in) :: values(:, :)
    integer, intent(in) :: index(:, :)
    integer :: j

    do j = 1, size(values, 2)
      call self%add_real64(name, values(:, j), index(:, j))
    end do
  end subroutine add_real64_2d

  !> The same in single precision for points in two dimensions.
  subroutine add_real32_2d(self, name, values, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    real(real32), intent(in) :: values(:, :)
    integer, intent(in) :: index(:, :)
    integer :: j

    do j = 1, size(values, 2)
      call self%add_real32(name, values(:, j), index(:, j))
    end do
  end subroutine add_real32_2d

  !> The same for whole numbers in two dimensions.
  subroutine add_integer_2d(self, name, values, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    integer, intent(in) :: values(:, :)
    integer, intent(in) :: index(:, :)
    integer :: j

    do j = 1, size(values, 2)
      call self%add_integer(name, values(:, j), index(:, j))
    end do
  end subroutine add_integer_2d

  !> Write the checksum of some points, and their values where asked for.
  subroutine add_bits(self, name, bits, index)
    class(record_t), intent(in) :: self
    character(*), intent(in) :: name
    integer(int64), intent(in) :: bits(:)
    integer, intent(in) :: index(:)
    integer(int64) :: checksum, mixed
    integer :: i, points

    checksum = 0
    points = 0
    do i = 1, size(bits)
      if (index(i) < 0) cycle
      mixed = mod(int(index(i), int64) + 1, prime)
      mixed = mod(mixed*48271 + iand(bits(i), low_half), prime)
      mixed = mod(mixed*48271 + iand(ishft(bits(i), -32), low_half), prime)
      checksum = mod(checksum + mod(mixed*mixed + mixed, prime), prime)
      points = points + 1
      if (self%with_values) write (self%values_unit, "(i4.4, 1x, a, 1x, i0, 1x, z16.16)") self%year, name, index(i), bits(i)
    end do
    write (self%dates_unit, "(i4.4, 2('-', i2.2), 1x, a, 2(1x, i0))") self%year, self%month, self%day, name, points, &
      checksum
  end subroutine add_bits
end module host_kit
