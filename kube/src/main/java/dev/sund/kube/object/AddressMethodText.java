package dev.sund.kube.object;

import dev.sund.engine.cluster.AddressMethod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * How configurations write the way in which a node finds its address: in Calico's words, such as
 * {@code can-reach=8.8.8.8}.
 */
public final class AddressMethodText {
  private AddressMethodText() {}

  /** The method that stands here; empty when nothing does or it cannot be used. */
  public static Optional<AddressMethod> read(Field field, Family family) {
    Optional<String> text = field.text().map(String::strip).filter(word -> !word.isEmpty());
    if (text.isEmpty()) {
      return Optional.empty();
    }
    int equals = text.get().indexOf('=');
    String word = equals < 0 ? text.get() : text.get().substring(0, equals);
    String value = equals < 0 ? "" : text.get().substring(equals + 1).strip();
    return switch (word) {
      case "kubernetes-internal-ip" -> bare(field, equals, new AddressMethod.InternalIp());
      case "annotation" -> bare(field, equals, new AddressMethod.AsAnnotated());
      case "first-found" -> bare(field, equals, new AddressMethod.FirstFound());
      case "interface" -> patterns(field, value).map(AddressMethod.OnInterface::new);
      case "skip-interface" -> patterns(field, value).map(AddressMethod.SkipInterface::new);
      case "can-reach" -> destination(field, value, family).map(AddressMethod.CanReach::new);
      case "cidr" -> ranges(field, value, family).map(AddressMethod.InRanges::new);
      default -> {
        field.invalid(
            "'" + text.get() + "' is no way to find a node's address.",
            "Write kubernetes-internal-ip, annotation, first-found, interface=NAMES,"
                + " skip-interface=NAMES, can-reach=ADDRESS or cidr=RANGES.");
        yield Optional.empty();
      }
    };
  }

  private static Optional<AddressMethod> bare(Field field, int equals, AddressMethod method) {
    if (equals >= 0) {
      field.invalid("'" + method.text() + "' takes no value.", "Write " + method.text() + ".");
      return Optional.empty();
    }
    return Optional.of(method);
  }

  /** Names of devices, as regular expressions with commas between. */
  static Optional<List<String>> patterns(Field field, String value) {
    return list(
        field,
        value,
        "Write names of devices as regular expressions, such as eth0 or ^en.*,^eth.*.",
        word -> {
          try {
            return Optional.of(Pattern.compile(word).pattern());
          } catch (PatternSyntaxException e) {
            field.invalid(
                "'" + word + "' is not a regular expression: " + e.getDescription() + ".",
                "Write the name of a device, or a regular expression such as ^eth.*.");
            return Optional.empty();
          }
        });
  }

  /** The address that is to be reached. */
  static Optional<Ip> destination(Field field, String value, Family family) {
    Optional<Ip> ip = Ip.tryParse(value);
    if (ip.isEmpty()) {
      field.invalid(
          "'"
              + value
              + "' is not an address; a name would have to be looked up before the node"
              + " has its network.",
          "Write an address such as "
              + (family == Family.V4 ? "8.8.8.8." : "2001:4860:4860::8888."));
    }
    return ip.filter(found -> isOf(family, found.family(), field));
  }

  /** Ranges of addresses with commas between. */
  static Optional<List<Prefix>> ranges(Field field, String value, Family family) {
    String example = family == Family.V4 ? "192.168.1.0/24" : "fd00:192:168:1::/64";
    return list(
        field,
        value,
        "Write ranges such as " + example + ".",
        word -> {
          Optional<Prefix> range = Prefix.tryParse(word);
          if (range.isEmpty()) {
            field.invalid(
                "'" + word + "' is not a CIDR.", "Write a range such as " + example + ".");
          }
          return range.filter(found -> isOf(family, found.family(), field));
        });
  }

  /** Whether what stands here is of the family that it is for; otherwise it says so. */
  static boolean isOf(Family wanted, Family is, Field field) {
    if (is != wanted) {
      field.invalid(
          "'" + field.text().orElse("") + "' is of the other family.",
          "Write " + (wanted == Family.V4 ? "an IPv4" : "an IPv6") + " one.");
    }
    return is == wanted;
  }

  private static <T> Optional<List<T>> list(
      Field field, String value, String remedy, Function<String, Optional<T>> read) {
    List<T> found = new ArrayList<>();
    boolean wrong = false;
    for (String word : value.split(",")) {
      if (!word.isBlank()) {
        Optional<T> one = read.apply(word.strip());
        one.ifPresent(found::add);
        wrong |= one.isEmpty();
      }
    }
    if (found.isEmpty() && !wrong) {
      field.invalid("'=' is followed by nothing.", remedy);
    }
    return found.isEmpty() || wrong ? Optional.empty() : Optional.of(found);
  }
}
