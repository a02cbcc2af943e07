package dev.sund.dataplane.nft;

import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.Answer;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.View;
import dev.sund.model.Marks;
import java.util.Optional;

/**
 * The packet mark by which a frontend says what comes next. It has two forms: {@link #bits}, from
 * the lookup of the destination to the choice ({@link Marks#ASKED_MARK}), and {@link #slot}, from
 * the choice until the packet leaves ({@link Marks#FRONTEND_MARK}).
 *
 * @param group the kind of frontend
 * @param view to whom this answer is given
 * @param action the answer
 * @param masquerade whose source is translated
 * @param split whether those outside get another answer, from a map of its own
 * @param limited whether the source must be allowed
 * @param loopback whether 127.0.0.1 is answered
 * @param sticky whether clients keep their endpoint
 * @param choice how an endpoint is chosen
 */
record FrontendMark(
    FrontendGroup group,
    View view,
    Action action,
    MasqueradeClass masquerade,
    boolean split,
    boolean limited,
    boolean loopback,
    boolean sticky,
    EndpointChoice choice) {

  /** The bits that say whose source is translated, in both forms. */
  static final int CLASS = 0x30000;

  /** The bit of them that is set when the node's own sources are, and not all. */
  static final int CLASS_NODE = 0x20000;

  /** The bit that says that the client keeps its endpoint, in both forms. */
  static final int STICKY = 0x1000;

  private static final int GROUP_SHIFT = 23;
  private static final int SPLIT = 1 << 22;
  private static final int LIMITED = 1 << 21;
  private static final int NO_LOOPBACK = 1 << 20;
  private static final int BY_CLIENT = 1 << 19;
  private static final int OUTSIDE = 1 << 18;
  private static final int CLASS_SHIFT = 16;
  private static final int OTHERS = 0xe000;
  private static final int NUMBER = 0xfff;
  private static final int REJECT = 0;
  private static final int DROP = 0xfff;

  /** The mark that a frontend's first map gives. */
  static FrontendMark of(Frontend frontend) {
    return new FrontendMark(
        FrontendGroup.of(frontend.key().place()),
        View.INSIDE,
        frontend.inside().action(),
        frontend.inside().masquerade(),
        frontend.isSplit(),
        frontend.limited(),
        frontend.loopback(),
        frontend.affinity().isPresent(),
        frontend.choice());
  }

  /** The mark that the map for those outside gives, where it makes a difference. */
  static FrontendMark ofOutside(Frontend frontend) {
    Answer answer = frontend.outside();
    return new FrontendMark(
        FrontendGroup.of(frontend.key().place()),
        View.OUTSIDE,
        answer.action(),
        answer.masquerade(),
        false,
        false,
        true,
        frontend.affinity().isPresent(),
        frontend.choice());
  }

  /** The mark in its first form. */
  int bits() {
    int number =
        switch (action) {
          case Action.Balance(int endpoints) -> endpoints;
          case Action.Reject() -> REJECT;
          case Action.Drop() -> DROP;
        };
    return Marks.ASKED_MARK
        | group.ordinal() << GROUP_SHIFT
        | (split ? SPLIT : 0)
        | (limited ? LIMITED : 0)
        | (loopback ? 0 : NO_LOOPBACK)
        | (choice == EndpointChoice.BY_CLIENT ? BY_CLIENT : 0)
        | low(view, masquerade, sticky)
        | number;
  }

  private static int low(View view, MasqueradeClass masquerade, boolean sticky) {
    return (view == View.OUTSIDE ? OUTSIDE : 0) | classBits(masquerade) | (sticky ? STICKY : 0);
  }

  /** Where a class stands in both forms. */
  static int classBits(MasqueradeClass masquerade) {
    return switch (masquerade) {
          case KEEP_SOURCE -> 0;
          case ALWAYS -> 1;
          case FROM_OUTSIDE -> 2;
          case FROM_NODE -> 3;
        }
        << CLASS_SHIFT;
  }

  /** The mark of the first form; empty for marks of others, and for those that no frontend has. */
  static Optional<FrontendMark> of(int bits) {
    if ((bits & Marks.ASKED_MARK_MASK) != Marks.ASKED_MARK || (bits & OTHERS) != 0) {
      return Optional.empty();
    }
    int number = bits & NUMBER;
    return Optional.of(
        new FrontendMark(
            FrontendGroup.values()[(bits >>> GROUP_SHIFT) & 3],
            (bits & OUTSIDE) == 0 ? View.INSIDE : View.OUTSIDE,
            number == REJECT
                ? new Action.Reject()
                : number == DROP ? new Action.Drop() : new Action.Balance(number),
            switch ((bits & CLASS) >>> CLASS_SHIFT) {
              case 0 -> MasqueradeClass.KEEP_SOURCE;
              case 1 -> MasqueradeClass.ALWAYS;
              case 2 -> MasqueradeClass.FROM_OUTSIDE;
              default -> MasqueradeClass.FROM_NODE;
            },
            (bits & SPLIT) != 0,
            (bits & LIMITED) != 0,
            (bits & NO_LOOPBACK) == 0,
            (bits & STICKY) != 0,
            (bits & BY_CLIENT) != 0 ? EndpointChoice.BY_CLIENT : EndpointChoice.RANDOM));
  }

  /** What a packet gets that goes to the endpoint of this number. */
  int slot(int number) {
    return slotBase(view, masquerade, sticky) | number;
  }

  /** The mark in its second form, for the endpoint of number 0. */
  static int slotBase(View view, MasqueradeClass masquerade, boolean sticky) {
    return Marks.FRONTEND_MARK | low(view, masquerade, sticky);
  }

  /** The endpoint's number in a mark of the second form. */
  static int number(int slot) {
    return slot & NUMBER;
  }

  /** For whom the endpoint of a mark of the second form is. */
  static View view(int slot) {
    return (slot & OUTSIDE) == 0 ? View.INSIDE : View.OUTSIDE;
  }

  /** Whether there is something to decide before the answer, or behind it. */
  boolean needsChain() {
    return action instanceof Action.Balance
        || split
        || limited
        || (!loopback && group == FrontendGroup.NODE_V4);
  }

  /** The chain that packets of this mark run through: {@code lb-node-v4-1-always}. */
  String chain() {
    return "lb-"
        + group.label()
        + switch (action) {
          case Action.Balance(int endpoints) -> "-" + endpoints;
          case Action.Reject() -> "-reject";
          case Action.Drop() -> "-drop";
        }
        + switch (masquerade) {
          case KEEP_SOURCE -> "";
          case ALWAYS -> "-always";
          case FROM_OUTSIDE -> "-from-outside";
          case FROM_NODE -> "-from-node";
        }
        + (view == View.OUTSIDE ? "-for-outside" : "")
        + (split ? "-split" : "")
        + (limited ? "-limited" : "")
        + (loopback ? "" : "-no-loopback")
        + (sticky ? "-sticky" : "")
        + switch (choice) {
          case RANDOM -> "";
          case BY_CLIENT -> "-by-client";
        };
  }
}
