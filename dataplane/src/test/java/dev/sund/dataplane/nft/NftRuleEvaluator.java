package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftRange;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.Reg;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs a chain's expressions over a packet as the kernel does: registers, packet bytes, sets. Knows
 * nothing of masquerade tables, programs or pools; in tests only.
 */
final class NftRuleEvaluator {
  private final List<NftRule> rules;
  private final Map<String, List<NftElement>> sets;

  NftRuleEvaluator(List<NftRule> rules, Map<String, List<NftElement>> sets) {
    this.rules = rules;
    this.sets = sets;
  }

  /** The comment of the element that the packet's source was found by, if it is translated. */
  Optional<String> masquerades(Ip source, Ip destination) {
    for (NftRule rule : rules) {
      Optional<String> verdict = run(rule, source, destination);
      if (verdict.isPresent()) {
        return verdict;
      }
    }
    return Optional.empty();
  }

  private Optional<String> run(NftRule rule, Ip source, Ip destination) {
    Map<Reg, Bytes> registers = new HashMap<>();
    Optional<String> found = Optional.empty();
    Bytes header = header(source, destination);
    for (Expr expr : rule.expressions()) {
      switch (expr) {
        case Expr.Meta(var key, var into) when key == Expr.MetaKey.NFPROTO ->
            registers.put(into, Bytes.of(source.family() == Family.V4 ? 2 : 10));
        // No packet here has met a frontend: its mark is 0, whatever is masked out of it.
        case Expr.Meta(var key, var into) when key == Expr.MetaKey.MARK ->
            registers.put(into, Bytes.host32(0));
        case Expr.Bitwise(var from, var into, _, _) -> registers.put(into, registers.get(from));
        case Expr.Cmp(var from, var op, var value) when op == Expr.Op.EQ -> {
          if (!value.equals(registers.get(from))) {
            return Optional.empty();
          }
        }
        case Expr.Payload(var into, var base, var offset, var length)
            when base == Expr.Header.NETWORK -> {
          if (offset + length > header.length()) {
            return Optional.empty();
          }
          registers.put(into, header.slice(offset, offset + length));
        }
        case Expr.Lookup(var set, var from, var into, var inverted) when into.isEmpty() -> {
          Optional<NftElement> element =
              set.startsWith("bridged-")
                  ? pair(sets.getOrDefault(set, List.of()), source, second(rule, registers))
                  : lookup(sets.get(set), registers.get(from));
          if (element.isPresent() == inverted) {
            return Optional.empty();
          }
          found = found.or(() -> element.map(NftElement::comment));
        }
        case Expr.Range(var from, var inverted, var low, var high) -> {
          Bytes value = registers.get(from);
          if ((low.compareTo(value) <= 0 && value.compareTo(high) <= 0) == inverted) {
            return Optional.empty();
          }
        }
        case Expr.Counter _ -> {}
        case Expr.Masquerade _ -> {
          return Optional.of(found.orElse(""));
        }
        default -> throw new AssertionError("no test needs " + expr);
      }
    }
    return Optional.empty();
  }

  /** What stands behind the source in a key of two addresses. */
  private static Ip second(NftRule rule, Map<Reg, Bytes> registers) {
    Reg reg = rule.comment().startsWith("v4") ? Reg.word(1) : Reg.R2;
    return Ip.of(registers.get(reg).toArray());
  }

  /** An element of pairs holds a key when each address is between its own ends. */
  private static Optional<NftElement> pair(List<NftElement> elements, Ip source, Ip other) {
    int length = source.toBytes().length;
    return elements.stream()
        .filter(element -> {
          Bytes high = element.keyEnd().orElseThrow();
          return within(element.key(), high, 0, length, source)
              && within(element.key(), high, length, 2 * length, other);
        })
        .findFirst();
  }

  private static boolean within(Bytes low, Bytes high, int from, int to, Ip ip) {
    Bytes key = Bytes.of(ip);
    return low.slice(from, to).compareTo(key) <= 0 && key.compareTo(high.slice(from, to)) <= 0;
  }

  /** The greatest element at or below the key decides: a start holds it, an end does not. */
  private static Optional<NftElement> lookup(List<NftElement> elements, Bytes key) {
    return NftRange.join(elements).stream()
        .filter(range -> range.low().compareTo(key) <= 0 && key.compareTo(range.high()) <= 0)
        .map(NftRange::start)
        .findFirst();
  }

  private static Bytes header(Ip source, Ip destination) {
    Bytes addresses = Bytes.of(source).plus(Bytes.of(destination));
    return Bytes.EMPTY.padded(source.family() == Family.V4 ? 12 : 8).plus(addresses);
  }
}
