package dev.sund.doctor.probe;

import dev.sund.kernel.Errno;
import dev.sund.kernel.socket.QueuedError;
import dev.sund.model.Ip;
import java.util.Optional;
import java.util.OptionalInt;

/** What ICMP has told of the packets to the other end. */
final class Troubles {
  private int said;
  private Optional<Ip> saidBy = Optional.empty();
  private int refused;

  void met(QueuedError error) {
    boolean icmp =
        error.origin() == QueuedError.Origin.ICMP || error.origin() == QueuedError.Origin.ICMP6;
    if (icmp && error.errno() == Errno.EMSGSIZE.number() && (said == 0 || error.info() < said)) {
      said = error.info();
      saidBy = error.offender();
    }
    if (icmp && error.errno() == Errno.ECONNREFUSED.number()) {
      refused++;
    }
  }

  /** The smallest size that a router named as what it can carry. */
  OptionalInt said() {
    return said == 0 ? OptionalInt.empty() : OptionalInt.of(said);
  }

  /** Who named it. */
  Optional<Ip> saidBy() {
    return saidBy;
  }

  /** How many packets were refused, because nobody listens at their port. */
  int refused() {
    return refused;
  }
}
