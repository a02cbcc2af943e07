package dev.sund.engine.program;

import dev.sund.engine.program.Frontend.View;
import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One of those who answer for a {@link Frontend}. Key: {@code key}.
 *
 * <p>In the kernel: an element of a map in {@link dev.sund.model.Marks#TABLE}, with the rule as its
 * comment; and where {@code lent} is given, two of another map, for sources that cannot be answered
 * as they are.
 *
 * @param key whose endpoint it is, and which
 * @param address where it is, of the frontend's family
 * @param port its port, 1 to 65535
 * @param lent the address of the node that a packet gets as its source which comes from the
 *     endpoint itself or from 127.0.0.1, since an answer to those would not come back by this node;
 *     and which those get whom the frontend's masquerade class translates, in place of what the
 *     device that they leave by would lend; empty when the endpoint is not on this node
 * @param rule who is the endpoint
 */
public record Endpoint(Key key, Ip address, int port, Optional<Ip> lent, RuleId rule) {
  public Endpoint {
    Checks.range("port", port, 1, 65535);
    if (address.family() != key.frontend().place().family()) {
      throw new IllegalArgumentException(key + ": the endpoint " + address + " is no such address");
    }
  }

  /** Written out, as that of {@link Ip}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Endpoint endpoint
        && port == endpoint.port
        && address.equals(endpoint.address)
        && key.equals(endpoint.key)
        && lent.equals(endpoint.lent)
        && rule.equals(endpoint.rule);
  }

  @Override
  public int hashCode() {
    return 31 * key.hashCode() + address.hashCode();
  }

  /**
   * Which endpoint of which frontend; slots are numbered from 0 without gaps, in each view apart.
   *
   * @param frontend whose
   * @param view for whom; {@code INSIDE} for all where the frontend makes no difference
   * @param slot 0 and up
   */
  public record Key(Frontend.Key frontend, View view, int slot) implements Comparable<Key> {
    public Key {
      Checks.range("slot", slot, 0, Frontend.MOST_ENDPOINTS - 1);
    }

    /** An endpoint for all, or for those who ask from inside. */
    public Key(Frontend.Key frontend, int slot) {
      this(frontend, View.INSIDE, slot);
    }

    @Override
    public int compareTo(Key other) {
      int order = frontend.compareTo(other.frontend);
      if (order == 0) {
        order = Integer.compare(view.ordinal(), other.view.ordinal());
      }
      return order == 0 ? Integer.compare(slot, other.slot) : order;
    }

    /** Written out, as that of {@link Ip}. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key
          && slot == key.slot
          && view == key.view
          && frontend.equals(key.frontend);
    }

    @Override
    public int hashCode() {
      return 31 * (31 * frontend.hashCode() + slot) + view.ordinal();
    }

    /** {@code local-v4 8080/tcp #0}; {@code local-v4 8080/tcp outside #0}. */
    @Override
    public String toString() {
      return frontend + (view == View.OUTSIDE ? " outside #" : " #") + slot;
    }
  }
}
