package dev.sund.doctor.filter;

import static dev.sund.kernel.packet.Bpf.*;

import dev.sund.kernel.packet.BpfInstruction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes instructions of conditions. Both ways out of a comparison are labels further down, and all
 * that jumps to a label is there when the label is placed; so what the accumulator holds at a label
 * is known in one pass, and a byte that was loaded for the question before is not loaded again.
 */
final class FilterCode {
  private final List<Step> steps = new ArrayList<>();
  private final List<@Nullable Value> holdsAt = new ArrayList<>();
  private final List<Boolean> reached = new ArrayList<>();
  private final int[] place = new int[1 << 16];
  private @Nullable Value holds;
  private int memory;

  /** An instruction whose jumps are labels; -1 for those without. */
  private record Step(int code, int k, int yes, int no) {}

  private FilterCode() {}

  /**
   * The program that takes packets for which a condition holds.
   *
   * @param bytes how much of such a packet is wanted, above 0
   * @return at most as many instructions as the kernel takes; empty when it would be more
   */
  static List<BpfInstruction> program(Condition condition, int bytes) {
    FilterCode code = new FilterCode();
    int yes = code.label();
    int no = code.label();
    code.branch(condition, yes, no);
    code.place(yes);
    code.add(BPF_RET | BPF_K, bytes);
    code.place(no);
    code.add(BPF_RET | BPF_K, 0);
    return code.resolved();
  }

  private int label() {
    holdsAt.add(null);
    reached.add(false);
    return holdsAt.size() - 1;
  }

  private void place(int label) {
    place[label] = steps.size();
    holds = holdsAt.get(label);
  }

  private void add(int code, int k) {
    steps.add(new Step(code, k, -1, -1));
  }

  private void jump(int code, int k, int yes, int no) {
    steps.add(new Step(code, k, yes, no));
    reach(yes);
    reach(no);
  }

  private void reach(int label) {
    if (!reached.get(label)) {
      reached.set(label, true);
      holdsAt.set(label, holds);
    } else if (holds == null || !holds.equals(holdsAt.get(label))) {
      holdsAt.set(label, null);
    }
  }

  private void branch(Condition condition, int yes, int no) {
    switch (condition) {
      case Condition.Always(boolean holding) -> {
        int target = holding ? yes : no;
        jump(BPF_JMP | BPF_JA, 0, target, target);
      }
      case Condition.Not(Condition opposite) -> branch(opposite, no, yes);
      case Condition.Both(Condition first, Condition second) -> {
        int next = label();
        branch(first, next, no);
        place(next);
        branch(second, yes, no);
      }
      case Condition.Either(Condition first, Condition second) -> {
        int next = label();
        branch(first, yes, next);
        place(next);
        branch(second, yes, no);
      }
      case Condition.Compare(Value left, Condition.Relation relation, Value right) ->
          compare(left, relation, right, yes, no);
    }
  }

  private void compare(Value left, Condition.Relation relation, Value right, int yes, int no) {
    int how =
        BPF_JMP
            | switch (relation) {
              case EQUAL -> BPF_JEQ;
              case GREATER -> BPF_JGT;
              case AT_LEAST -> BPF_JGE;
            };
    if (right instanceof Value.Constant(int constant)) {
      load(left);
      jump(how | BPF_K, constant, yes, no);
    } else {
      sideways(left, right);
      jump(how | BPF_X, 0, yes, no);
    }
  }

  /** The left number into the accumulator, the right one beside it. */
  private void sideways(Value left, Value right) {
    load(right);
    int cell = memory++;
    if (cell >= BPF_MEMWORDS) {
      throw new IllegalStateException("an expression is too deep");
    }
    add(BPF_ST, cell);
    load(left);
    add(BPF_LDX | BPF_MEM, cell);
    memory--;
  }

  private void load(Value value) {
    if (value.equals(holds)) {
      return;
    }
    switch (value) {
      case Value.Constant(int constant) -> add(BPF_LD | BPF_IMM, constant);
      case Value.Length() -> add(BPF_LD | BPF_W | BPF_LEN, 0);
      case Value.Load bytes -> load(bytes);
      case Value.Compute(Value.Operation operation, Value left, Value right) -> {
        if (right instanceof Value.Constant(int constant)) {
          load(left);
          add(BPF_ALU | code(operation) | BPF_K, constant);
        } else {
          sideways(left, right);
          add(BPF_ALU | code(operation) | BPF_X, 0);
        }
      }
    }
    holds = value;
  }

  private void load(Value.Load bytes) {
    int size =
        switch (bytes.size()) {
          case 1 -> BPF_B;
          case 2 -> BPF_H;
          default -> BPF_W;
        };
    boolean fixed = bytes.index().equals(new Value.Constant(0));
    switch (bytes.base()) {
      case START -> {
        if (fixed) {
          add(BPF_LD | size | BPF_ABS, bytes.offset());
        } else {
          load(bytes.index());
          add(BPF_MISC | BPF_TAX, 0);
          add(BPF_LD | size | BPF_IND, bytes.offset());
        }
      }
      case BEHIND_V4 -> {
        if (!fixed) {
          load(bytes.index());
        }
        add(BPF_LDX | BPF_B | BPF_MSH, bytes.header());
        if (!fixed) {
          add(BPF_ALU | BPF_ADD | BPF_X, 0);
          add(BPF_MISC | BPF_TAX, 0);
        }
        add(BPF_LD | size | BPF_IND, bytes.header() + bytes.offset());
      }
    }
  }

  private static int code(Value.Operation operation) {
    return switch (operation) {
      case ADD -> BPF_ADD;
      case SUB -> BPF_SUB;
      case MUL -> BPF_MUL;
      case DIV -> BPF_DIV;
      case MOD -> BPF_MOD;
      case AND -> BPF_AND;
      case OR -> BPF_OR;
      case XOR -> BPF_XOR;
      case LSH -> BPF_LSH;
      case RSH -> BPF_RSH;
    };
  }

  /** A jump of a comparison reaches 255 instructions; further ones take two more instructions. */
  private List<BpfInstruction> resolved() {
    boolean[] far = new boolean[steps.size()];
    int[] at = new int[steps.size() + 1];
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int i = 0; i < steps.size(); i++) {
        at[i + 1] = at[i] + (far[i] ? 3 : 1);
      }
      for (int i = 0; i < steps.size(); i++) {
        Step step = steps.get(i);
        if (step.yes() >= 0 && !isAlways(step) && !far[i]) {
          int reach = Math.max(at[place[step.yes()]], at[place[step.no()]]) - at[i] - 1;
          far[i] = reach > 0xff;
          changed |= far[i];
        }
      }
    }
    List<BpfInstruction> program = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      if (step.yes() < 0) {
        program.add(new BpfInstruction(step.code(), step.k()));
        continue;
      }
      int yes = at[place[step.yes()]] - at[i] - 1;
      int no = at[place[step.no()]] - at[i] - 1;
      if (isAlways(step)) {
        program.add(new BpfInstruction(step.code(), yes));
      } else if (far[i]) {
        program.add(new BpfInstruction(step.code(), 0, 1, step.k()));
        program.add(new BpfInstruction(BPF_JMP | BPF_JA, yes - 1));
        program.add(new BpfInstruction(BPF_JMP | BPF_JA, no - 2));
      } else {
        program.add(new BpfInstruction(step.code(), yes, no, step.k()));
      }
    }
    return program.size() > BPF_MAXINSNS ? List.of() : program;
  }

  private static boolean isAlways(Step step) {
    return step.code() == (BPF_JMP | BPF_JA);
  }

  @Override
  public String toString() {
    return steps + " " + Arrays.toString(Arrays.copyOf(place, holdsAt.size()));
  }
}
