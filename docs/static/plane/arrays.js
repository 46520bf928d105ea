// The little of NumPy that the other files need: a matrix of float64 numbers, stored row by row.
// No function changes its arguments, except for `out`.

class Matrix {
  constructor(rows, columns, data = new Float64Array(rows * columns)) {
    this.rows = rows; this.columns = columns; this.data = data;
  }
  at(n, j) { return this.data[n * this.columns + j]; }
  slice(from, to = this.rows) { // rows, as in a[from:to]
    return new Matrix(to - from, this.columns, this.data.slice(from * this.columns, to * this.columns));
  }
  map(f) { return new Matrix(this.rows, this.columns, this.data.map(f)); }
}

function matmul(a, b, out = new Matrix(a.rows, b.columns)) { // a @ b
  const inner = a.columns, columns = b.columns, A = a.data, B = b.data, C = out.data;
  C.fill(0);
  for (let n = 0; n < a.rows; n++) {
    for (let i = 0; i < inner; i++) {
      const factor = A[n * inner + i];
      for (let j = 0; j < columns; j++) C[n * columns + j] += factor * B[i * columns + j];
    }
  }
  return out;
}

function transposed(a) { // a.T
  const { rows, columns, data } = a, made = new Matrix(columns, rows);
  for (let n = 0; n < rows; n++) {
    for (let j = 0; j < columns; j++) made.data[j * rows + n] = data[n * columns + j];
  }
  return made;
}

function sum_of_rows(a, out) { // np.sum(a, axis=0, out=out)
  out.data.fill(0);
  for (let k = 0; k < a.data.length; k++) out.data[k % a.columns] += a.data[k];
  return out;
}

function concatenate(a, b) { // np.concatenate([a, b]): the rows of b below those of a
  const made = new Matrix(a.rows + b.rows, a.columns);
  made.data.set(a.data);
  made.data.set(b.data, a.data.length);
  return made;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
