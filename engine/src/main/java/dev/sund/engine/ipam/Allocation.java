package dev.sund.engine.ipam;

import dev.sund.model.Condition;
import dev.sund.model.Ip;
import java.util.List;

/** What an {@link Allocator} answers. */
public sealed interface Allocation {
  /**
   * The addresses are the asker's until it releases them.
   *
   * @param addresses one of each family asked for, sorted
   */
  record Given(List<Ip> addresses) implements Allocation {
    public Given {
      addresses = addresses.stream().sorted().toList();
    }
  }

  /**
   * Nothing was given, of no family.
   *
   * @param why what is wrong and what to do
   * @param passing whether the same request may be granted in a moment without anybody's doing
   */
  record Refused(Condition why, boolean passing) implements Allocation {}
}
