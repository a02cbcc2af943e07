package dev.sund.model;

/**
 * An address of an interface together with the length of the subnet it is on, such as {@code
 * 192.168.1.11/24}.
 *
 * @param ip the address
 * @param length the subnet's prefix length, 0 to 32 or 0 to 128
 */
public record InterfaceAddress(Ip ip, int length) implements Comparable<InterfaceAddress> {
  public InterfaceAddress {
    Checks.range("prefix length", length, 0, ip.family().bits());
  }

  /**
   * Parses {@code ADDRESS/LENGTH}; host bits may be set.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static InterfaceAddress parse(String text) {
    int slash = text.indexOf('/');
    if (slash >= 0) {
      var ip = Ip.tryParse(text.substring(0, slash));
      String digits = text.substring(slash + 1);
      if (ip.isPresent() && digits.matches("[0-9]{1,3}")) {
        int length = Integer.parseInt(digits);
        if (length <= ip.get().family().bits()) {
          return new InterfaceAddress(ip.get(), length);
        }
      }
    }
    throw new IllegalArgumentException(
        "'" + text + "' is not an address with its subnet's length, such as 192.168.1.11/24");
  }

  /** The subnet that the address is on. */
  public Prefix subnet() {
    return Prefix.around(ip, length);
  }

  @Override
  public int compareTo(InterfaceAddress other) {
    int byIp = ip.compareTo(other.ip);
    return byIp != 0 ? byIp : Integer.compare(length, other.length);
  }

  @Override
  public String toString() {
    return ip + "/" + length;
  }
}
