package dev.sund.kernel.conntrack;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which entries a listing gives; what is empty matches all.
 *
 * @param family of the addresses
 * @param protocol IANA number, 0 to 255
 * @param destination of the original direction; of the {@code family} when that is given
 * @param destinationPort of the original direction; only with a protocol that has ports
 */
public record ConntrackFilter(
    Optional<Family> family,
    OptionalInt protocol,
    Optional<Ip> destination,
    OptionalInt destinationPort) {
  /** All entries. */
  public static final ConntrackFilter ALL =
      new ConntrackFilter(
          Optional.empty(), OptionalInt.empty(), Optional.empty(), OptionalInt.empty());

  public ConntrackFilter {
    if (destination.isPresent() && family.isPresent()) {
      if (destination.get().family() != family.get()) {
        throw new IllegalArgumentException(
            "destination " + destination.get() + " is not of family " + family.get());
      }
    }
    if (destinationPort.isPresent() && protocol.isEmpty()) {
      throw new IllegalArgumentException("a port without a protocol");
    }
  }

  /** Those of one protocol, of both families. */
  public static ConntrackFilter ofProtocol(int protocol) {
    return new ConntrackFilter(
        Optional.empty(), OptionalInt.of(protocol), Optional.empty(), OptionalInt.empty());
  }

  /** Those that were begun to one address and port. */
  public static ConntrackFilter to(int protocol, Ip destination, int port) {
    return new ConntrackFilter(
        Optional.of(destination.family()),
        OptionalInt.of(protocol),
        Optional.of(destination),
        OptionalInt.of(port));
  }

  /** The same, of one family. */
  public ConntrackFilter of(Family one) {
    return new ConntrackFilter(Optional.of(one), protocol, destination, destinationPort);
  }

  /** Whether an entry is one of them. */
  public boolean matches(ConntrackEntry entry) {
    Tuple original = entry.original();
    return (family.isEmpty() || family.get() == original.family())
        && (protocol.isEmpty() || protocol.getAsInt() == original.protocol())
        && (destination.isEmpty() || destination.get().equals(original.destination()))
        && (destinationPort.isEmpty() || destinationPort.getAsInt() == original.destinationPort());
  }
}
