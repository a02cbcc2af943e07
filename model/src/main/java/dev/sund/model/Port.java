package dev.sund.model;

/**
 * A transport port that a container declares.
 *
 * @param number 1 to 65535
 * @param protocol TCP, UDP or SCTP
 * @param name the port's name, empty when it has none
 */
public record Port(int number, Protocol protocol, String name) implements Comparable<Port> {
  public Port {
    Checks.range("port", number, 1, 65535);
  }

  @Override
  public int compareTo(Port other) {
    int byNumber = Integer.compare(number, other.number);
    if (byNumber != 0) {
      return byNumber;
    }
    int byProtocol = protocol.compareTo(other.protocol);
    return byProtocol != 0 ? byProtocol : name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return number + "/" + protocol.label();
  }
}
