package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.libc.Libc;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FdTest {
  private static final int EFD_CLOEXEC = 0x80000;

  private static Fd open() {
    return Fd.own(Libc.eventfd(0, EFD_CLOEXEC), "test eventfd");
  }

  @Test
  void closesOnceSoThatAReusedNumberIsNotClosed() {
    Fd first = open();
    int number = first.number();
    first.close();
    try (Fd second = open()) {
      assertThat(second.number()).isEqualTo(number); // the kernel gives out the lowest free number
      first.close();
      assertThat(Libc.fcntl(number, 1, 0)).as("F_GETFD of the second").isNotNegative();
    }
    assertThat(first.isClosed()).isTrue();
  }

  @Test
  void aClosedDescriptorHasNoNumber() {
    Fd fd = open();
    fd.close();
    assertThatThrownBy(fd::number)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("test eventfd is closed");
  }

  @Test
  void openDescriptorsSayWhereTheyWereOpened() {
    List<String> before = Fd.openDescriptors();
    try (Fd fd = open()) {
      assertThat(Fd.openDescriptors())
          .filteredOn(line -> !before.contains(line))
          .singleElement()
          .asString()
          .contains("test eventfd (descriptor " + fd.number() + "), opened at ")
          .contains("FdTest.open");
    }
    assertThat(Fd.openDescriptors()).isEqualTo(before);
  }

  @Test
  void aLostDescriptorIsClosedWhenTheCollectorFindsIt() {
    int number = lose();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30); // another thread tells of it
    while (Libc.fcntl(number, 1, 0) >= 0 && System.nanoTime() < end) {
      System.gc();
      try (Fd next = open()) { // looks for lost ones
        assertThat(next.number()).isNotEqualTo(number);
      }
    }
    assertThat(Errno.EBADF.is(Libc.fcntl(number, 1, 0))).isTrue();
    assertThat(Fd.openDescriptors()).noneMatch(line -> line.contains("lost eventfd"));
  }

  private static int lose() {
    return Fd.own(Libc.eventfd(0, EFD_CLOEXEC), "lost eventfd").number();
  }

  @Test
  void refusesWhatIsNoDescriptor() {
    assertThatThrownBy(() -> Fd.own(-9, "nothing")).isInstanceOf(IllegalArgumentException.class);
  }
}
