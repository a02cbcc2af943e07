package dev.sund.dataplane.nft;

import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.View;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What an agent wrote that knew host ports and no Services: marks of another layout. Read as if
 * they were today's, so that the table which takes the old one's place answers as it did from its
 * first moment, before anybody has told what is wanted.
 */
final class FormerLayout {
  private static final int SIGNATURE = 0x53740000;
  private static final int SIGNATURE_MASK = 0xfffc0000;
  private static final int OTHERS = 0xe000;
  private static final int ALWAYS = 0x1000;
  private static final int NUMBER = 0xfff;

  private FormerLayout() {}

  /** These elements, those of the former layout as they are today. */
  static NavigableMap<RangeKey, Entry> adopt(NavigableMap<RangeKey, Entry> entries) {
    NavigableMap<RangeKey, Entry> adopted = new TreeMap<>(entries);
    for (FrontendGroup group : FrontendGroup.values()) {
      entries.forEach((key, entry) -> {
        if (key.set().equals(group.frontends())
            && entry.data().orElse(null) instanceof Data.Value(Bytes value)
            && isFormer(FrontendKeys.host(value))) {
          FrontendMark mark = frontend(group, FrontendKeys.host(value));
          adopted.put(
              key, Entry.of(entry.comment(), new Data.Value(FrontendKeys.mark(mark.bits()))));
          adopted.put(
              RangeKey.single(FrontendLowering.ANSWERS, Bytes.host32(mark.bits())),
              ChooserLowering.answer(mark));
        } else if (key.set().equals(group.endpoints())
            && isFormer(FrontendKeys.slotMark(group, key.low()))) {
          int former = FrontendKeys.slotMark(group, key.low());
          int slot =
              FrontendMark.slotBase(View.INSIDE, masquerade(former), false) | (former & NUMBER);
          Bytes place = key.low().slice(0, key.low().length() - 4);
          adopted.remove(key);
          adopted.put(RangeKey.single(key.set(), place.plus(Bytes.host32(slot))), entry);
        }
      });
    }
    return adopted;
  }

  private static boolean isFormer(int mark) {
    return (mark & SIGNATURE_MASK) == SIGNATURE && (mark & OTHERS) == 0;
  }

  private static MasqueradeClass masquerade(int mark) {
    return (mark & ALWAYS) == 0 ? MasqueradeClass.KEEP_SOURCE : MasqueradeClass.ALWAYS;
  }

  private static FrontendMark frontend(FrontendGroup group, int mark) {
    int number = mark & NUMBER;
    return new FrontendMark(
        group,
        View.INSIDE,
        number == 0
            ? new Action.Reject()
            : number == NUMBER ? new Action.Drop() : new Action.Balance(number),
        masquerade(mark),
        false,
        false,
        true,
        false,
        EndpointChoice.RANDOM);
  }
}
