package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.netlink.NlReader;
import java.util.List;

/**
 * What an element of a set has counted: packets for which a rule looked its key up or added it.
 *
 * @param key the element's, as long as the set's key type says
 * @param packets since the element is there
 * @param bytes the same packets', from their network headers on
 */
public record NftCount(Bytes key, long packets, long bytes) {
  /** The length of {@code struct nfgenmsg}. */
  private static final int HEADER = 4;

  /** Those of one message of a listing; elements without a counter are passed over. */
  static void read(NlReader in, List<NftCount> into) throws KernelException {
    in.skip(HEADER);
    while (in.next()) {
      if (in.type() == Nfta.SET_ELEM_LIST_ELEMENTS) {
        NlReader list = in.nested();
        while (list.next()) {
          if (list.type() == Nfta.LIST_ELEM) {
            readElement(list.nested(), into);
          }
        }
      }
    }
  }

  private static void readElement(NlReader in, List<NftCount> into) throws KernelException {
    Bytes key = Bytes.EMPTY;
    long[] counted = {-1, -1};
    while (in.next()) {
      switch (in.type()) {
        case Nfta.SET_ELEM_KEY -> {
          if (ExprCodec.readData(in.nested()) instanceof Data.Value(var bytes)) {
            key = bytes;
          }
        }
        case Nfta.SET_ELEM_EXPR -> readCounter(in.nested(), counted);
        case Nfta.SET_ELEM_EXPRESSIONS -> {
          NlReader all = in.nested();
          while (all.next()) {
            readCounter(all.nested(), counted);
          }
        }
        default -> {} // what else an element has
      }
    }
    if (counted[0] >= 0) {
      into.add(new NftCount(key, counted[0], counted[1]));
    }
  }

  private static void readCounter(NlReader expression, long[] into) throws KernelException {
    boolean counter = false;
    while (expression.next()) {
      switch (expression.type()) {
        case Nfta.EXPR_NAME -> counter = expression.string().equals("counter");
        case Nfta.EXPR_DATA -> {
          NlReader data = expression.nested();
          while (counter && data.next()) {
            switch (data.type()) {
              case Nfta.COUNTER_PACKETS -> into[0] = data.be64();
              case Nfta.COUNTER_BYTES -> into[1] = data.be64();
              default -> {} // padding
            }
          }
        }
        default -> {} // the kernel may say more one day
      }
    }
  }
}
