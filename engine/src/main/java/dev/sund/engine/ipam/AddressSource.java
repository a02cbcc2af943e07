package dev.sund.engine.ipam;

import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import java.util.Optional;

/** What a node may give at all. Called by one thread at a time. */
sealed interface AddressSource permits NodeRanges, BlockClaims {
  /**
   * The ranges that may be given for a request, in order of preference; each is looked through to
   * its end before the next one.
   */
  List<Portion> portions(AddressRequest request, Family family);

  /**
   * Gets more of a portion, from whoever has it.
   *
   * @return whether there is more now
   */
  More more(Portion portion) throws InterruptedException;

  /**
   * Makes one certain address the node's to give.
   *
   * @return why that cannot be; empty when it is
   */
  Optional<Allocation.Refused> claim(Ip ip, AddressRequest request) throws InterruptedException;

  /**
   * Makes sure that an address is still the node's to give.
   *
   * @param since a confirmation that began at this {@link System#nanoTime} or later is good enough
   */
  Word confirm(Ip ip, long since) throws InterruptedException;

  /** Why there are no portions for this request. */
  Condition nothing(AddressRequest request, Family family);

  /** That all portions are used up: how full, whose, what to do. */
  Condition full(AddressRequest request, Family family);

  /**
   * Addresses to give from.
   *
   * @param pool the name of the pool, empty for the node's own ranges
   * @param ranges ascending, of one family
   */
  record Portion(String pool, List<IpRange> ranges) {
    public Portion {
      ranges = List.copyOf(ranges);
    }
  }

  /** How an attempt to get more ended. */
  enum More {
    /** There is more now. */
    GOT,
    /** There is no more anywhere. */
    NONE,
    /** Nobody answered: there may be more later. */
    UNANSWERED
  }

  /** How a confirmation ended. */
  enum Word {
    /** It is the node's to give. */
    YES,
    /** It was the node's to give when somebody answered last, which is long ago. */
    UNREAD,
    /** It is not any more: choose again. */
    NO,
    /** Nobody answered, and not for so long that this must be an outage. */
    UNANSWERED
  }
}
