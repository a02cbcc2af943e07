package dev.sund.doctor.check;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Addresses from one to another, as pools are written: {@code 10.0.0.0/16}, {@code
 * 192.168.0.200-192.168.0.220} or one address.
 *
 * @param text as it was written
 * @param first of the same family as the last
 * @param last not before the first
 */
record AddressSpan(String text, Ip first, Ip last) {
  static Optional<AddressSpan> parse(String text) {
    int dash = text.indexOf('-');
    if (dash > 0) {
      Optional<Ip> first = Ip.tryParse(text.substring(0, dash));
      Optional<Ip> last = Ip.tryParse(text.substring(dash + 1));
      return first.isPresent()
              && last.isPresent()
              && first.get().family() == last.get().family()
              && first.get().compareTo(last.get()) <= 0
          ? Optional.of(new AddressSpan(text, first.get(), last.get()))
          : Optional.empty();
    }
    int slash = text.indexOf('/');
    Optional<Ip> address = Ip.tryParse(slash < 0 ? text : text.substring(0, slash));
    if (address.isEmpty()) {
      return Optional.empty();
    }
    int bits = address.get().family().bits();
    String length = slash < 0 ? String.valueOf(bits) : text.substring(slash + 1);
    if (!length.matches("\\d{1,3}") || Integer.parseInt(length) > bits) {
      return Optional.empty();
    }
    Prefix prefix = Prefix.around(address.get(), Integer.parseInt(length));
    return Optional.of(new AddressSpan(text, prefix.address(), prefix.last()));
  }

  /** Those that can be read; the rest is somebody else's fault to name. */
  static List<AddressSpan> all(List<String> texts) {
    List<AddressSpan> spans = new ArrayList<>();
    texts.forEach(text -> parse(text).ifPresent(spans::add));
    return spans;
  }

  boolean contains(Ip ip) {
    return ip.family() == first.family() && first.compareTo(ip) <= 0 && ip.compareTo(last) <= 0;
  }

  boolean contains(AddressSpan other) {
    return contains(other.first) && contains(other.last);
  }

  boolean overlaps(AddressSpan other) {
    return contains(other.first) || other.contains(first);
  }

  /** How many addresses. */
  BigInteger size() {
    return new BigInteger(1, last.toBytes())
        .subtract(new BigInteger(1, first.toBytes()))
        .add(BigInteger.ONE);
  }
}
