package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelExceptionTest {
  private static KernelException refusal(int errno, String extack) {
    return Errno.exception(
        "add route", "10.1.2.0/24 via 192.0.2.1 dev #4", errno, extack, Capability.NET_ADMIN);
  }

  @Test
  void messagesSayOperationObjectKindAndTheKernelsWords() {
    assertThat(refusal(17, ""))
        .hasMessage(
            "add route 10.1.2.0/24 via 192.0.2.1 dev #4: AlreadyExists"
                + " (EEXIST, kernel: \"File exists\")");
    assertThat(refusal(22, "Nexthop has invalid gateway"))
        .hasMessage(
            "add route 10.1.2.0/24 via 192.0.2.1 dev #4: Refused"
                + " (EINVAL, kernel: \"Nexthop has invalid gateway\")");
    assertThat(refusal(1, ""))
        .hasMessage(
            "add route 10.1.2.0/24 via 192.0.2.1 dev #4: Denied, needs CAP_NET_ADMIN"
                + " (EPERM, kernel: \"Operation not permitted\"). Run as root or grant"
                + " CAP_NET_ADMIN.");
    assertThat(refusal(77, ""))
        .hasMessage(
            "add route 10.1.2.0/24 via 192.0.2.1 dev #4: Refused"
                + " (errno 77, kernel: \"Unknown error 77\")");
    assertThat(new KernelException.DumpInterrupted("list routes", 20))
        .hasMessage("list routes: DumpInterrupted, changed while it was read at each of 20 tries");
    assertThat(new KernelException.Malformed("attribute 3", "its value needs 4 bytes but has 2"))
        .hasMessage("decode attribute 3: Malformed, its value needs 4 bytes but has 2");
    assertThat(
            new KernelException.Unsupported(
                "attach", "eth0", 95, "", "attaching a program by tcx", "6.6"))
        .hasMessage(
            "attach eth0: Unsupported (EOPNOTSUPP, kernel: \"Operation not supported\")."
                + " attaching a program by tcx needs Linux 6.6 or later.");
  }

  @Test
  void eachErrorHasTheTypeThatSaysWhatToDo() {
    Map.of(
            Errno.EEXIST, KernelException.AlreadyExists.class,
            Errno.ENOENT, KernelException.NotFound.class,
            Errno.ESRCH, KernelException.NotFound.class,
            Errno.ENODEV, KernelException.NotFound.class,
            Errno.EADDRNOTAVAIL, KernelException.NotFound.class,
            Errno.EBUSY, KernelException.Busy.class,
            Errno.EPERM, KernelException.Denied.class,
            Errno.EOPNOTSUPP, KernelException.Unsupported.class,
            Errno.ENOBUFS, KernelException.NoSpace.class,
            Errno.EINVAL, KernelException.Refused.class)
        .forEach(
            (errno, type) -> assertThat(refusal(errno.number(), "")).isExactlyInstanceOf(type));
  }

  @Test
  void theKernelsTextIsTheExtendedOneWhereThereIsOne() {
    assertThat(refusal(22, "Nexthop has invalid gateway").kernelText())
        .isEqualTo("Nexthop has invalid gateway");
    assertThat(refusal(22, "").kernelText()).isEqualTo("Invalid argument");
    assertThat(refusal(22, "").errno()).isEqualTo(22);
  }

  @Test
  void numbersHaveNames() {
    assertThat(Errno.nameOf(105)).isEqualTo("ENOBUFS");
    assertThat(Errno.nameOf(4000)).isEqualTo("errno 4000");
    assertThat(Errno.of(17)).contains(Errno.EEXIST);
    assertThat(Errno.EEXIST.is(-17)).isTrue();
    assertThat(Errno.EEXIST.is(17)).isFalse();
  }
}
